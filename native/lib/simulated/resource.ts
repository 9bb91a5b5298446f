/** What every object of the simulated device has: a host, an open or closed state, a place in the counts. */
import { NettsError } from '@netts/core'
import type { VerbsCounts } from '../verbs/verbs.js'
import type { Machine } from './machine.js'

/** An object that is open until closed once. */
export abstract class Resource implements Disposable {
  readonly host: Machine
  readonly #kind: keyof VerbsCounts
  #closed = false

  constructor(host: Machine, kind: keyof VerbsCounts) {
    this.host = host
    this.#kind = kind
    host.opened(kind, this)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** On entry of every call: refuses a closed object, and lets the hardware go on. */
  protected enter(operation: string): void {
    if (this.#closed) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', `${operation} on a closed object`, { operation })
    }
    this.host.enter(operation)
  }

  close(): void {
    if (this.#closed) return
    this.host.fabric.scheduler.interleave()
    this.#closed = true
    this.release()
    this.host.releasedResource(this.#kind, this)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Undoes what making it did. Called once. */
  protected abstract release(): void
}
