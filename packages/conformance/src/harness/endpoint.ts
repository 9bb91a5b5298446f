/**
 * One end of a connection under test: it moves known bytes and checks every one of them. It waits by the waker
 * alone, so a driver that forgets to call it makes tests time out.
 */
import assert from 'node:assert/strict'
import type { NettsError, RecvCompletion, Transport } from '@netts/core'
import { pause, within } from './deadline.js'
import { Guard } from './guard.js'
import type { Pattern } from './pattern.js'

/** A received chunk that a test holds on to. */
export interface HeldChunk {
  readonly chunkIndex: number
  /** Where in the stream it begins. */
  readonly position: number
}

/** How {@link Endpoint.send} hands its bytes to the transport. */
export type SendMethod = 'sendCopy' | 'sendGather' | 'sendBuffer'

/** Sends, receives and checks known bytes over one transport. */
export class Endpoint {
  readonly transport: Transport
  readonly guard: Guard
  /** Bytes that this end's sends accepted. */
  sent = 0
  /** Bytes that this end was handed. */
  received = 0
  /** The other end, where it lives in this process: its count bounds what may arrive. */
  peer: Endpoint | undefined
  readonly #deadlineMs: number
  readonly #outgoing: Pattern
  readonly #incoming: Pattern
  readonly #waiting = new Set<() => void>()
  readonly #out: RecvCompletion[] = completions(16)

  constructor(raw: Transport, deadlineMs: number, outgoing: Pattern, incoming: Pattern) {
    this.guard = new Guard(raw)
    this.transport = this.guard.transport
    this.#deadlineMs = deadlineMs
    this.#outgoing = outgoing
    this.#incoming = incoming
    this.guard.onWake = () => {
      const waiting = [...this.#waiting]
      this.#waiting.clear()
      for (const resume of waiting) resume()
    }
  }

  /** Waits by the waker until an attempt gives something other than `undefined`. */
  async until<T>(what: string, attempt: () => T | undefined): Promise<T> {
    for (;;) {
      const result = attempt()
      if (result !== undefined) return result
      const woken = new Promise<void>((resume) => this.#waiting.add(resume))
      await within(this.#deadlineMs, `the waker: ${what} (${this.describe()})`, woken)
    }
  }

  /** Where this end stands, for messages of failures. */
  describe(): string {
    const { state, error } = this.transport
    return `${state}${error ? `, ${error.code}` : ''}, sent ${this.sent}, received ${this.received}`
  }

  /** Offers the next bytes of the stream once. @returns how many were accepted */
  trySend(byteLength: number, method: SendMethod = 'sendCopy'): number {
    const accepted = this.#offer(byteLength, method)
    this.sent += accepted
    return accepted
  }

  #offer(byteLength: number, method: SendMethod): number {
    const { transport } = this
    if (method === 'sendCopy') return transport.sendCopy(this.#outgoing.bytes(this.sent, byteLength))
    if (method === 'sendGather') {
      const bytes = this.#outgoing.bytes(this.sent, byteLength)
      const [a, b] = [Math.floor(byteLength / 3), Math.floor(byteLength / 2)]
      return transport.sendGather([bytes.subarray(0, a), bytes.subarray(a, b), bytes.subarray(b)])
    }
    const length = Math.min(byteLength, transport.maxSendSize, transport.bufferPool.maxByteLength - 1)
    const buffer = transport.bufferPool.tryAlloc(length + 1)
    if (!buffer) return 0
    // Only a part of the buffer, so that a driver that ignores the range is detected.
    buffer.bytes.fill(0xff)
    buffer.bytes.set(this.#outgoing.bytes(this.sent, length), 1)
    const accepted = transport.sendBuffer(buffer, 1)
    if (!accepted) buffer.release()
    return accepted ? length : 0
  }

  /** Sends the next bytes of the stream, waiting for capacity. */
  async send(byteLength: number, method: SendMethod = 'sendCopy'): Promise<void> {
    const target = this.sent + byteLength
    // More than one send can take, to test the limit; but not everything each time, since generating the bytes would
    // take longer than sending them.
    const offered = 2 * this.transport.maxSendSize
    while (this.sent < target) {
      await this.until(`capacity to send byte ${this.sent} of ${target}`, () => {
        if (this.trySend(Math.min(target - this.sent, offered), method) > 0) return true
        this.#failIfClosed()
        return undefined
      })
    }
  }

  /** Offers bytes until the transport refuses. @returns how many were accepted */
  sendUntilRefused(mostByteLength: number): number {
    const before = this.sent
    while (this.sent - before < mostByteLength && this.trySend(this.transport.maxSendSize) > 0);
    return this.sent - before
  }

  /**
   * Sends until nothing is accepted any more, for good, and fails if that takes more than bounded memory. A wire that
   * queues may find room later: Linux delays an acknowledgement by 40 ms (TCP_DELACK_MIN), and takes more after it.
   * @param meanwhile done between the sends
   */
  async sendUntilStuck(mostByteLength: number, meanwhile?: () => void): Promise<void> {
    for (let quiet = 0, enough = 1; quiet < enough; ) {
      await pause(5)
      const accepted = this.sendUntilRefused(mostByteLength + 1 - this.sent)
      assert.ok(this.sent <= mostByteLength, `over ${mostByteLength} bytes were accepted, and nobody reads`)
      meanwhile?.()
      quiet = accepted > 0 ? 0 : quiet + 1
      enough = this.transport.queuedBytes > 0 ? 20 : 8
    }
  }

  /** Takes what is there now, checks it, and keeps it. */
  take(most = this.#out.length): HeldChunk[] {
    const out = most === this.#out.length ? this.#out : completions(most)
    const count = this.transport.pollRecv(out)
    return out.slice(0, count).map(({ chunkIndex, byteLength }) => {
      const chunk = { chunkIndex, position: this.received }
      this.received += byteLength
      if (this.peer) {
        const { sent } = this.peer
        assert.ok(this.received <= sent, `${this.received} bytes arrived, but only ${sent} were sent`)
      }
      this.checkHeld(chunk)
      return chunk
    })
  }

  /** Fails unless a held chunk is still what was sent. */
  checkHeld({ chunkIndex, position }: HeldChunk): void {
    this.#incoming.check(this.transport.recvBuf(chunkIndex), position)
  }

  /** Checks a held chunk once more and releases it. */
  release(chunk: HeldChunk): void {
    this.checkHeld(chunk)
    this.transport.repostRecv(chunk.chunkIndex)
  }

  /** Takes and releases what is there now. @returns how many chunks that were */
  takeAndRelease(): number {
    const chunks = this.take()
    for (const chunk of chunks) this.release(chunk)
    return chunks.length
  }

  /** Receives and releases until so many bytes of the stream were received in all. */
  async receiveTo(position: number): Promise<void> {
    while (this.received < position) {
      await this.until(`byte ${this.received} of ${position}`, () => {
        if (this.takeAndRelease() > 0) return true
        // pollDisconnect may make the last chunks available.
        if (this.transport.pollDisconnect() && this.takeAndRelease() > 0) return true
        this.#failIfClosed()
        assert.equal(
          this.transport.recvEnded,
          false,
          `the end came before byte ${position} (${this.describe()})`,
        )
        return undefined
      })
    }
  }

  /** Receives until the peer's end, and fails unless everything that it sent came before. */
  async receiveToEnd(): Promise<void> {
    await this.until('the end', () => {
      while (this.takeAndRelease() > 0);
      if (this.transport.pollDisconnect()) while (this.takeAndRelease() > 0);
      if (this.transport.recvEnded) return true
      this.#failIfClosed()
      return undefined
    })
    if (this.peer) assert.equal(this.received, this.peer.sent, 'bytes received at the end')
  }

  /** Waits until every accepted send completed. */
  async completions(): Promise<void> {
    await this.until('completions', () => {
      // The waker is called for later completions only after pollSendCompletion returned 0.
      while (this.transport.pollSendCompletion() > 0);
      if (this.transport.sendsInFlight === 0) return true
      this.#failIfClosed()
      return undefined
    })
  }

  /**
   * Waits until the transport is closed, reading what is still there.
   * @returns the error that closed it
   */
  async closed(): Promise<NettsError | undefined> {
    await this.until('the transport to be closed', () => {
      while (this.takeAndRelease() > 0);
      return this.transport.pollDisconnect() || undefined
    })
    while (this.takeAndRelease() > 0);
    assert.equal(this.transport.state, 'closed')
    return this.transport.error
  }

  /** Waits for anything to arrive. @returns whether a byte came; if not, the end or an error did */
  firstByte(): Promise<boolean> {
    return this.until('a byte or the end', () => {
      if (this.takeAndRelease() > 0) return true
      return this.transport.recvEnded || this.transport.pollDisconnect() ? false : undefined
    })
  }

  /** Waits for the end, by whatever means the peer's crash or reset shows on this wire. */
  async ended(): Promise<NettsError | undefined> {
    await this.until('the end or an error', () => {
      while (this.takeAndRelease() > 0);
      return this.transport.recvEnded || this.transport.pollDisconnect() || undefined
    })
    return this.transport.error
  }

  /** A closed transport ends every wait. */
  #failIfClosed(): void {
    if (!this.transport.pollDisconnect()) return
    const { error } = this.transport
    const why = error ? `with ${error.code}: ${error.message}` : 'without an error'
    assert.fail(`the transport closed ${why} (${this.describe()})`)
  }
}

/** Entries for `pollRecv` to fill. */
export function completions(count: number): RecvCompletion[] {
  return Array.from({ length: count }, () => ({ chunkIndex: -1, byteLength: -1 }))
}
