/** Events of a simulated CM id: queued as they happen, taken by the program one at a time. */
import type { CmEvent } from '../verbs/cm.js'
import type { Machine } from './machine.js'
import { Resource } from './resource.js'
import type { Step } from './scheduler.js'

export abstract class CmEventSource extends Resource {
  readonly #deliver: Step
  readonly #events: CmEvent[] = []
  #onEvent: ((event: CmEvent) => void) | undefined

  constructor(host: Machine) {
    super(host, 'cmIds')
    this.#deliver = host.programStep('CM event', () => this.#deliverNext())
  }

  get onEvent(): ((event: CmEvent) => void) | undefined {
    return this.#onEvent
  }

  set onEvent(callback: ((event: CmEvent) => void) | undefined) {
    this.#onEvent = callback
    this.#deliver.enabled = callback !== undefined && this.#events.length > 0 && !this.closed
  }

  /** Queues an event for the program. */
  push(event: CmEvent): void {
    if (this.closed) return
    this.#events.push(event)
    this.#deliver.enabled = this.#onEvent !== undefined
  }

  /** The program takes this event now; called before its callback. */
  protected abstract onTaken(event: CmEvent): void

  /** Delivers nothing any more. @returns what was not delivered */
  protected silence(): CmEvent[] {
    this.#deliver.enabled = false
    return this.#events.splice(0)
  }

  #deliverNext(): void {
    const event = this.#events.shift() as CmEvent
    this.#deliver.enabled = this.#events.length > 0
    this.onTaken(event)
    this.#onEvent?.(event)
  }
}
