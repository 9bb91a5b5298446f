/** What all objects with a native handle have in common: they can be closed, and refuse calls afterwards. */
import { NettsError } from '@netts/core'
import type { Environment } from './environment.js'
import { attempt } from './failures.js'
import type { Created, Handle } from './native-binding.js'

/** An object with a native handle. */
export abstract class NativeObject {
  protected readonly environment: Environment
  /** Names it in events. Unlike the number of a queue pair, it is not used again. */
  readonly serial: number
  readonly #handle: Handle
  readonly #name: string
  #closed = false

  /** @param name for messages, such as `the queue pair` */
  constructor(environment: Environment, created: Created, name: string) {
    this.environment = environment
    this.serial = created.number
    this.#handle = created.handle
    this.#name = name
  }

  get closed(): boolean {
    return this.#closed || this.environment.closed
  }

  /** The handle, for a call. @throws NettsError `ERR_NETTS_INVALID_STATE` when closed */
  use(): Handle {
    if (this.closed) throw new NettsError('ERR_NETTS_INVALID_STATE', `${this.#name} is closed`)
    return this.#handle
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.environment.dispatch.set(this.serial, undefined)
    attempt(() => this.environment.binding.close(this.#handle))
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
