/** The sending half of a stream: one write at a time, gathered into as few sends as possible. */
import type { NettsError, Transport } from '@netts/core'
import { FlushQueue } from '@netts/core/lifecycle'
import { runProgram } from './program.js'

/** The callback of a write or an end. */
export type Done = (error?: Error | null) => void

/** Hands writes to a transport. The caller catches what the transport throws. */
export class Outgoing {
  /** How many bytes the transport accepted. */
  postedBytes = 0
  /** How many bytes of the current write the transport accepted. */
  begunBytes = 0
  readonly #transport: Transport
  readonly #flushes: FlushQueue
  #postedSends = 0
  /** What is left of the current write; the first element may be the rest of a part. */
  #parts: Uint8Array[] = []
  #done: Done | undefined

  constructor(transport: Transport) {
    this.#transport = transport
    this.#flushes = new FlushQueue(transport)
  }

  /** Whether there is no current write. */
  get isIdle(): boolean {
    return this.#done === undefined
  }

  /**
   * Begins a write; {@link pump} carries it out. Only while {@link isIdle}.
   * @param parts none of them empty. They must not change until `done` is called
   */
  begin(parts: Uint8Array[], done: Done): void {
    this.#parts = parts
    this.#done = done
    this.begunBytes = 0
  }

  /** Continues the write, as far as the transport accepts it. */
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

  /** Calls back when everything posted so far is complete. */
  flush(done: Done): void {
    const tell = (error: NettsError | null) => runProgram(() => done(error))
    this.#flushes.add(this.#postedSends, undefined, () => tell(null), tell)
  }

  /** The transport is closed. @param error the error for writes and flushes that wait; `undefined` if everything has left */
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

  /** Removes bytes from the beginning of the parts. */
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
