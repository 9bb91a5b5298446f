/** Completion channels and queues of the simulated device: overrun, arming and the race of notification. */
import { checkInteger } from '@netts/core/driver'
import type { CompletionChannel, CompletionQueue, CompletionQueueOptions } from '../verbs/completion-queue.js'
import { callError } from '../verbs/errors.js'
import { COMPLETION, CompletionStatus } from '../verbs/layout.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import type { Machine, MachineDevice } from './machine.js'
import { Resource } from './resource.js'
import type { Step } from './scheduler.js'

/** A queue pair whose completions come to a queue. */
export interface CompletingQueuePair extends QueuePair {
  fail(): void
}

/** A completion as the device writes it. */
export interface Completion {
  readonly idLow: number
  readonly idHigh: number
  readonly status: number
  readonly opcode: number
  readonly flags: number
  readonly byteLength: number
  readonly immediate: number
  readonly queuePair: CompletingQueuePair
  /** Wakes a queue armed for solicited completions only. */
  readonly solicited: boolean
  /** Gives back the places in the queue that this completion accounts for, once the program has seen it. */
  retire(): void
}

/** What fields hold that the interface calls undefined, so that a program which reads them stumbles. */
const UNDEFINED_FIELD = 0xdeadbeef

export class SimulatedCompletionChannel extends Resource implements CompletionChannel {
  readonly device: MachineDevice
  readonly #pending = new Set<SimulatedCompletionQueue>()
  readonly #wake: Step

  constructor(host: Machine) {
    super(host, 'completionChannels')
    this.device = host.device
    this.#wake = host.programStep('notifications', () => {
      this.#wake.enabled = false
      const queues = [...this.#pending]
      this.#pending.clear()
      for (const queue of queues) if (!queue.closed) queue.onNotify?.()
    })
  }

  createCompletionQueue(options: CompletionQueueOptions): CompletionQueue {
    this.enter('ibv_create_cq')
    return new SimulatedCompletionQueue(this, options)
  }

  notify(queue: SimulatedCompletionQueue): void {
    if (this.closed) return
    this.#pending.add(queue)
    this.#wake.enabled = true
  }

  forget(queue: SimulatedCompletionQueue): void {
    this.#pending.delete(queue)
  }

  ref(): void {
    if (!this.closed) this.host.keepAlive(this, true)
  }

  unref(): void {
    this.host.keepAlive(this, false)
  }

  protected release(): void {
    this.#wake.enabled = false
  }
}

export class SimulatedCompletionQueue extends Resource implements CompletionQueue {
  readonly maxCompletions: number
  readonly completions: Uint32Array
  readonly queuePairs = new Set<CompletingQueuePair>()
  onNotify: (() => void) | undefined
  readonly #channel: SimulatedCompletionChannel
  readonly #batch: number
  readonly #entries: Completion[] = []
  #armed: 'no' | 'any' | 'solicited' = 'no'
  #overrun = false

  constructor(channel: SimulatedCompletionChannel, options: CompletionQueueOptions) {
    const { host, device } = channel
    const { maxCompletions, batch = 64 } = options
    checkInteger('maxCompletions', maxCompletions, 1, device.attributes.maxCompletions)
    checkInteger('batch', batch, 1, 4096)
    device.checkLimit('completionQueues', 'maxCompletionQueues', 'ibv_create_cq')
    super(host, 'completionQueues')
    this.#channel = channel
    this.#batch = batch
    this.maxCompletions = maxCompletions
    this.completions = new Uint32Array(batch * COMPLETION.words)
  }

  /** The device adds a completion. */
  push(completion: Completion): void {
    if (this.closed || this.#overrun) return
    if (this.#entries.length >= this.maxCompletions) {
      this.#overrun = true
      this.#channel.device.raise({ type: 'cq-error', name: 'IBV_EVENT_CQ_ERR', completionQueue: this })
      for (const queuePair of this.queuePairs) {
        queuePair.fail()
        this.#channel.device.raise({ type: 'qp-fatal', name: 'IBV_EVENT_QP_FATAL', queuePair })
      }
      return
    }
    this.#entries.push(completion)
    const solicited = completion.solicited || completion.status !== CompletionStatus.success
    if (this.#armed === 'any' || (this.#armed === 'solicited' && solicited)) {
      this.#armed = 'no'
      this.#channel.notify(this)
    }
  }

  /** Drops completions of a destroyed queue pair, as some devices do. */
  purge(queuePair: CompletingQueuePair): void {
    for (let at = this.#entries.length - 1; at >= 0; at--) {
      if (this.#entries[at]?.queuePair === queuePair) this.#entries.splice(at, 1)[0]?.retire()
    }
  }

  poll(): number {
    this.enter('ibv_poll_cq')
    const taken = this.#entries.splice(0, this.#batch)
    if (taken.length === 0 && this.#overrun) {
      throw callError('ibv_poll_cq', 'EIO', {
        device: this.#channel.device.name,
        hint: 'The queue was overrun',
      })
    }
    let at = 0
    for (const completion of taken) {
      const succeeded = completion.status === CompletionStatus.success
      this.completions[at + COMPLETION.idLow] = completion.idLow
      this.completions[at + COMPLETION.idHigh] = completion.idHigh
      this.completions[at + COMPLETION.status] = completion.status
      this.completions[at + COMPLETION.opcode] = succeeded ? completion.opcode : UNDEFINED_FIELD
      this.completions[at + COMPLETION.flags] = succeeded ? completion.flags : UNDEFINED_FIELD
      this.completions[at + COMPLETION.byteLength] = succeeded ? completion.byteLength : UNDEFINED_FIELD
      this.completions[at + COMPLETION.immediate] = succeeded ? completion.immediate : UNDEFINED_FIELD
      this.completions[at + COMPLETION.queuePairNumber] = completion.queuePair.number
      this.completions[at + COMPLETION.vendorError] = 0
      at += COMPLETION.words
      completion.retire()
    }
    return taken.length
  }

  arm(solicitedOnly = false): void {
    this.enter('ibv_req_notify_cq')
    // A later request for any completion widens an earlier one; the other way round changes nothing.
    if (this.#armed !== 'any') this.#armed = solicitedOnly ? 'solicited' : 'any'
  }

  protected release(): void {
    this.#channel.forget(this)
    this.#entries.length = 0
  }
}
