/** The sending half of a stream: one write at a time, gathered into as few sends as it fits. */
import type { NettsError, Transport } from '@netts/core'
import { FlushQueue } from '@netts/core/lifecycle'
import { runProgram } from './program.js'

/** What a write or an end is told when it is done, or why it is not. */
export type Done = (error?: Error | null) => void

/** Hands writes to a transport. What that throws is the caller's to catch. */
export class Outgoing {
  /** Bytes that the transport accepted, ever. */
  postedBytes = 0
  /** Of the write under way, what the transport accepted. */
  begunBytes = 0
  readonly #transport: Transport
  readonly #flushes: FlushQueue
  #postedSends = 0
  /** What is left of the write under way; its first part may be the rest of one. */
  #parts: Uint8Array[] = []
  #done: Done | undefined

  constructor(transport: Transport) {
    this.#transport = transport
    this.#flushes = new FlushQueue(transport)
  }

  /** Whether no write is under way. */
  get isIdle(): boolean {
    return this.#done === undefined
  }

  /**
   * Begins a write; {@link pump} carries it out. Only while {@link isIdle}.
   * @param parts not empty, any of them. They must not change until it is done
   */
  begin(parts: Uint8Array[], done: Done): void {
    this.#parts = parts
    this.#done = done
  }

  /** Goes on with the write, as far as the transport takes it. */
  pump(): void {
    while (this.#done) {
      while (this.#parts.length > 0) {
        const accepted = this.#send()
        if (accepted === 0) break
        this.#postedSends++
        this.postedBytes += accepted
        this.begunBytes += accepted
        this.#skip(accepted)
      }
      if (this.#parts.length > 0) break
      this.#settle(null)
    }
    this.#flushes.settle()
  }

  /** Tells when everything posted so far is complete. */
  flush(done: Done): void {
    const tell = (error: NettsError | null) => runProgram(() => done(error))
    this.#flushes.add(this.#postedSends, undefined, () => tell(null), tell)
  }

  /** The transport is closed. @param error why what waits failed; without, everything had left */
  stop(error: NettsError | undefined): void {
    if (error) this.#settle(error)
    this.#flushes.stop(error)
  }

  #send(): number {
    const [first] = this.#parts
    return this.#parts.length === 1
      ? this.#transport.sendCopy(first!)
      : this.#transport.sendGather(this.#parts)
  }

  /** Takes so many bytes off the parts' beginning. */
  #skip(byteLength: number): void {
    const parts = this.#parts
    let left = byteLength
    let whole = 0
    while (whole < parts.length && left >= parts[whole]!.length) left -= parts[whole++]!.length
    if (whole > 0) parts.splice(0, whole)
    if (left > 0) parts[0] = parts[0]!.subarray(left)
  }

  #settle(error: NettsError | null): void {
    const done = this.#done
    this.#done = undefined
    this.#parts = []
    this.begunBytes = 0
    if (done) runProgram(() => done(error))
  }
}
