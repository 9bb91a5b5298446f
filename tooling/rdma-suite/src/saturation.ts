/**
 * Both directions of a connection at once, as full as they get, while either program stalls at random, holds what it
 * received, and releases it in any order: nothing stands still, and every byte is the one that was sent.
 */
import assert from 'node:assert/strict'
import type { RecvCompletion } from '@netts/core'
import type { RdmaTestTransport } from './tested-driver.js'

/** Nobody stalls for nearly as long: who is not woken by then never will be. */
const STANDSTILL_MS = 60_000
const MOST_STALL_MS = 40
/** A prime, so that no length of ring or frame ever meets the same bytes again. */
const PERIOD = 65_521

/** What one end did. */
export interface Saturation {
  sentBytes: number
  receivedBytes: number
  /** Sends that found no capacity. */
  refused: number
  stalls: number
  /** Releases of a chunk while an older one was held. */
  outOfOrder: number
}

/** A number from 0 up to, not including, `limit`. */
export type RandomBelow = (limit: number) => number

/** @returns what either end did, once both have sent for so long, finished, and received everything */
export async function saturate(
  transports: readonly [RdmaTestTransport, RdmaTestTransport],
  durationMs: number,
  below: RandomBelow,
): Promise<readonly [Saturation, Saturation]> {
  const until = performance.now() + durationMs
  const [near, far] = transports.map((transport) => new End(transport, until, below)) as [End, End]
  await Promise.all([near.run(), far.run()])
  assert.equal(near.done.receivedBytes, far.done.sentBytes)
  assert.equal(far.done.receivedBytes, near.done.sentBytes)
  for (const transport of transports) transport.disconnect()
  return [near.done, far.done]
}

class End {
  readonly done: Saturation = { sentBytes: 0, receivedBytes: 0, refused: 0, stalls: 0, outOfOrder: 0 }
  readonly #transport: RdmaTestTransport
  readonly #until: number
  readonly #below: RandomBelow
  readonly #pattern: Uint8Array
  readonly #held: number[] = []
  readonly #out: RecvCompletion[] = Array.from({ length: 4 }, () => ({ chunkIndex: -1, byteLength: -1 }))
  #isFinished = false
  #wake: (() => void) | undefined

  constructor(transport: RdmaTestTransport, until: number, below: RandomBelow) {
    this.#transport = transport
    this.#until = until
    this.#below = below
    this.#pattern = pattern(PERIOD + transport.maxSendSize)
    transport.waker = () => {
      this.#wake?.()
    }
  }

  async run(): Promise<void> {
    const transport = this.#transport
    while (!transport.recvEnded || this.#held.length > 0 || !this.#isFinished) {
      if (transport.error) throw transport.error
      const hasMoved = this.#step()
      if (this.#below(50) === 0) await this.#stall()
      else if (!hasMoved && !transport.recvEnded) await this.#woken()
      else if (this.#below(4) === 0) await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }

  /** @returns whether anything could be done */
  #step(): boolean {
    const hasReceived = this.#receive()
    // Until it is refused: nothing less is saturated.
    let hasSent = false
    while (this.#send()) hasSent = true
    // Half of the time it holds on, unless there is nothing else to do.
    const hasReleased = (!(hasReceived || hasSent) || this.#below(2) === 0) && this.#release()
    return hasReceived || hasSent || hasReleased
  }

  #send(): boolean {
    const transport = this.#transport
    if (this.#isFinished) return false
    if (performance.now() >= this.#until) {
      transport.finish()
      this.#isFinished = true
      return true
    }
    const byteLength = 1 + this.#below(this.#below(3) === 0 ? 64 : transport.maxSendSize)
    const at = this.done.sentBytes % PERIOD
    const bytes = this.#pattern.subarray(at, at + byteLength)
    const accepted = this.#below(2) === 0 ? transport.sendCopy(bytes) : this.#sendBuffer(bytes)
    while (transport.pollSendCompletion() > 0);
    if (accepted === 0) this.done.refused++
    this.done.sentBytes += accepted
    return accepted > 0
  }

  #sendBuffer(bytes: Uint8Array): number {
    const buffer = this.#transport.bufferPool.tryAlloc(bytes.byteLength)
    if (!buffer) return 0
    buffer.bytes.set(bytes)
    if (this.#transport.sendBuffer(buffer, 0, bytes.byteLength)) return bytes.byteLength
    buffer.release()
    return 0
  }

  #receive(): boolean {
    const count = this.#transport.pollRecv(this.#out)
    for (const { chunkIndex, byteLength } of this.#out.slice(0, count)) {
      const bytes = this.#transport.recvBuf(chunkIndex)
      const { receivedBytes } = this.done
      const at = receivedBytes % PERIOD
      const isExact = Buffer.compare(bytes, this.#pattern.subarray(at, at + byteLength)) === 0
      assert.ok(isExact, `${byteLength} bytes from ${receivedBytes} on are not what was sent`)
      this.#held.push(chunkIndex)
      this.done.receivedBytes += byteLength
    }
    return count > 0
  }

  #release(): boolean {
    if (this.#held.length === 0) return false
    for (let count = 1 + this.#below(this.#held.length); count > 0; count--) {
      const which = this.#below(this.#held.length)
      if (which > 0) this.done.outOfOrder++
      this.#transport.repostRecv(this.#held.splice(which, 1)[0]!)
    }
    return true
  }

  #stall(): Promise<void> {
    this.done.stalls++
    return new Promise((resolve) => setTimeout(resolve, this.#below(MOST_STALL_MS)))
  }

  async #woken(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve
      timer = setTimeout(() => {
        reject(new Error(`a standstill: ${JSON.stringify({ ...this.done, held: this.#held.length })}`))
      }, STANDSTILL_MS)
    }).finally(() => clearTimeout(timer))
    this.#wake = undefined
  }
}

/** Two periods at least, so that from any position on there is enough of it. */
function pattern(byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  let state = 1
  for (let i = 0; i < PERIOD; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[i] = state >>> 16
  }
  for (let i = PERIOD; i < byteLength; i++) bytes[i] = bytes[i % PERIOD]!
  return bytes
}
