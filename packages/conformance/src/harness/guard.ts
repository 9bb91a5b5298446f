/**
 * Wraps a transport: every call of a test goes through the wrapper, which checks what the contract promises about single
 * calls.
 */
import assert from 'node:assert/strict'
import type { RecvCompletion, Transport, TransportState } from '@netts/core'

const STATES: readonly TransportState[] = ['open', 'finished', 'disconnecting', 'closed']

/** A transport whose calls are checked. */
export class Guard {
  /** The transport as a test uses it. */
  readonly transport: Transport
  /** Called for each call of the waker. */
  onWake: (() => void) | undefined
  /** How often the waker was called. */
  wakes = 0
  /** Sends that were accepted, and those reported as completed. */
  accepted = 0
  completed = 0
  /** Received bytes handed out and not released. */
  heldByteLength = 0
  readonly #raw: Transport
  readonly #held = new Map<number, number>()
  #depth = 0
  #rank = 0
  #wokenInside: string | undefined
  #inside = ''

  constructor(raw: Transport) {
    this.#raw = raw
    this.transport = this.#watched()
    this.transport.waker = () => {
      this.wakes++
      if (this.#depth > 0) this.#wokenInside = this.#inside
      this.onWake?.()
    }
  }

  /** Fails if the transport broke a rule that could not be reported on the spot. */
  check(): void {
    assert.equal(this.#wokenInside, undefined, `the waker was called from inside ${this.#wokenInside}`)
  }

  #watched(): Transport {
    return new Proxy(this.#raw, {
      get: (raw, name) => {
        const value: unknown = this.#enter(name, () => Reflect.get(raw, name, raw))
        if (typeof value !== 'function' || name === 'waker') return value
        return (...args: unknown[]) => {
          const result: unknown = this.#enter(name, () => Reflect.apply(value, raw, args))
          this.#observe(name, args, result)
          return result
        }
      },
      set: (raw, name, value) => this.#enter(name, () => Reflect.set(raw, name, value, raw)),
    })
  }

  #enter<T>(name: string | symbol, call: () => T): T {
    this.#depth++
    this.#inside = String(name)
    try {
      return call()
    } finally {
      this.#depth--
    }
  }

  #observe(name: string | symbol, args: unknown[], result: unknown): void {
    if (name === 'sendCopy' || name === 'sendGather') this.#observeSend(args[0] as never, result)
    else if (name === 'sendBuffer' && result === true) this.accepted++
    else if (name === 'pollSendCompletion') this.#observeCompletions(result)
    else if (name === 'pollRecv') this.#observeChunks(args[0] as RecvCompletion[], result)
    else if (name === 'repostRecv') this.#observeRelease(args[0] as number)
    this.#observeState()
  }

  #observeSend(data: Uint8Array | readonly Uint8Array[], result: unknown): void {
    const offered =
      data instanceof Uint8Array ? data.byteLength : data.reduce((sum, of) => sum + of.byteLength, 0)
    const most = Math.min(offered, this.#raw.maxSendSize)
    assert.ok(
      Number.isInteger(result) && (result as number) >= 0 && (result as number) <= most,
      `a send of ${offered} bytes (maxSendSize ${this.#raw.maxSendSize}) claims to have accepted ${result}`,
    )
    if ((result as number) > 0) this.accepted++
  }

  #observeCompletions(result: unknown): void {
    assert.ok(Number.isInteger(result) && (result as number) >= 0, `pollSendCompletion returned ${result}`)
    this.completed += result as number
    assert.ok(
      this.completed <= this.accepted,
      `${this.completed} sends reported as completed, but only ${this.accepted} were accepted`,
    )
  }

  #observeChunks(out: RecvCompletion[], result: unknown): void {
    assert.ok(
      Number.isInteger(result) && (result as number) >= 0 && (result as number) <= out.length,
      `pollRecv of ${out.length} entries returned ${result}`,
    )
    for (const { chunkIndex, byteLength } of out.slice(0, result as number)) {
      assert.ok(
        !this.#held.has(chunkIndex),
        `chunk ${chunkIndex} was handed out twice without a release between`,
      )
      assert.ok(
        Number.isInteger(byteLength) && byteLength >= 1,
        `chunk ${chunkIndex} has ${byteLength} bytes`,
      )
      assert.equal(
        this.#raw.recvBuf(chunkIndex).byteLength,
        byteLength,
        `recvBuf(${chunkIndex}) has another length`,
      )
      assert.ok(
        this.heldByteLength < this.#raw.recvWindow,
        `a chunk was handed out although ${this.heldByteLength} bytes, the whole recvWindow, are unreleased`,
      )
      this.#held.set(chunkIndex, byteLength)
      this.heldByteLength += byteLength
    }
  }

  #observeRelease(chunkIndex: number): void {
    const byteLength = this.#held.get(chunkIndex)
    assert.ok(
      byteLength !== undefined,
      `repostRecv(${chunkIndex}) did not throw, but that chunk was not handed out`,
    )
    this.#held.delete(chunkIndex)
    this.heldByteLength -= byteLength
  }

  #observeState(): void {
    const { state, sendsInFlight } = this.#raw
    const rank = STATES.indexOf(state)
    assert.ok(rank >= this.#rank, `the state went from ${STATES[this.#rank]} back to ${state}`)
    this.#rank = rank
    const expected = state === 'closed' ? 0 : this.accepted - this.completed
    assert.equal(sendsInFlight, expected, `sendsInFlight in state ${state}, with ${this.accepted} accepted`)
  }
}
