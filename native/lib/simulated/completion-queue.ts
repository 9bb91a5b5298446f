/** Completion channels and queues of the simulated device: overrun, arming and notification. */
import { checkInteger } from '@netts/core/driver'
import type {
  CompletionChannel,
  CompletionChannelOptions,
  CompletionQueue,
  CompletionQueueOptions,
} from '../verbs/completion-queue.js'
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
  /** Whether it wakes a queue that is armed for solicited completions only. */
  readonly solicited: boolean
  /**
   * Called when the program has polled it: frees the places of its work request, and of those before it, in their
   * queue.
   */
  retire(): void
}

/** The value of fields that the interface calls undefined, so that a program that reads them fails. */
const UNDEFINED_FIELD = 0xdeadbeef

const DEFAULT_BATCH = 64

/** The array that a poll of so many completions fills. */
function completionArray(batch: number): Uint32Array {
  checkInteger('batch', batch, 1, 4096)
  return new Uint32Array(batch * COMPLETION.words)
}

export class SimulatedCompletionChannel extends Resource implements CompletionChannel {
  readonly device: MachineDevice
  readonly completions: Uint32Array
  onNotify: (() => void) | undefined
  readonly #batch: number
  /** Queues at which a poll looks. */
  readonly #awake = new Set<SimulatedCompletionQueue>()
  readonly #pending = new Set<SimulatedCompletionQueue>()
  readonly #wake: Step

  constructor(host: Machine, options: CompletionChannelOptions = {}) {
    const { vector = 0, batch = DEFAULT_BATCH } = options
    checkInteger('vector', vector, 0, host.device.attributes.completionVectors - 1)
    const completions = completionArray(batch)
    super(host, 'completionChannels')
    this.device = host.device
    this.completions = completions
    this.#batch = batch
    this.#wake = host.programStep('notifications', () => {
      this.#wake.enabled = false
      const queues = [...this.#pending]
      this.#pending.clear()
      let wakesChannel = false
      for (const queue of queues) {
        if (queue.closed) continue
        if (queue.tellsChannel) {
          this.#awake.add(queue)
          wakesChannel = true
        } else {
          queue.onNotify?.()
        }
      }
      if (wakesChannel && !this.closed) this.onNotify?.()
    })
  }

  createCompletionQueue(options: CompletionQueueOptions): CompletionQueue {
    this.enter('ibv_create_cq')
    const queue = new SimulatedCompletionQueue(this, options)
    this.#awake.add(queue)
    return queue
  }

  poll(): number {
    this.enter('ibv_poll_cq')
    let taken = 0
    let failed: SimulatedCompletionQueue | undefined
    for (const queue of this.#awake) {
      taken += queue.take(this.completions, taken, this.#batch - taken)
      if (queue.hasFailed) failed = queue
      if (taken < this.#batch) continue
      // The next poll begins with the others, so that a queue with a full batch each time does not delay them.
      this.#awake.delete(queue)
      this.#awake.add(queue)
      break
    }
    if (taken === 0) failed?.poll()
    return taken
  }

  arm(): number {
    this.enter('ibv_req_notify_cq')
    let taken = 0
    let failed: SimulatedCompletionQueue | undefined
    for (const queue of [...this.#awake]) {
      if (taken === this.#batch) break
      queue.armFor('channel', false)
      const found = queue.take(this.completions, taken, this.#batch - taken)
      if (queue.hasFailed) failed = queue
      else if (found === 0) this.#awake.delete(queue)
      taken += found
    }
    if (taken === 0) failed?.poll()
    return taken
  }

  notify(queue: SimulatedCompletionQueue): void {
    if (this.closed) return
    this.#pending.add(queue)
    this.#wake.enabled = true
  }

  forget(queue: SimulatedCompletionQueue): void {
    this.#pending.delete(queue)
    this.#awake.delete(queue)
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
  #tells: 'itself' | 'channel' = 'itself'
  #overrun = false

  constructor(channel: SimulatedCompletionChannel, options: CompletionQueueOptions) {
    const { host, device } = channel
    const { maxCompletions, batch = DEFAULT_BATCH } = options
    checkInteger('maxCompletions', maxCompletions, 1, device.attributes.maxCompletions)
    const completions = completionArray(batch)
    device.checkLimit('completionQueues', 'maxCompletionQueues', 'ibv_create_cq')
    super(host, 'completionQueues')
    this.#channel = channel
    this.#batch = batch
    this.maxCompletions = maxCompletions
    this.completions = completions
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

  /** Whether its notification goes to the channel, because the channel armed it. */
  get tellsChannel(): boolean {
    return this.#tells === 'channel'
  }

  /** Whether it was overrun, and is empty. */
  get hasFailed(): boolean {
    return this.#overrun && this.#entries.length === 0
  }

  poll(): number {
    this.enter('ibv_poll_cq')
    if (this.hasFailed) {
      throw callError('ibv_poll_cq', 'EIO', {
        device: this.#channel.device.name,
        hint: 'The queue was overrun',
      })
    }
    return this.take(this.completions, 0, this.#batch)
  }

  /** Moves at most `most` completions to an array, after the `first` that are there. @returns how many */
  take(out: Uint32Array, first: number, most: number): number {
    const taken = this.#entries.splice(0, most)
    let at = first * COMPLETION.words
    for (const completion of taken) {
      const succeeded = completion.status === CompletionStatus.success
      out[at + COMPLETION.idLow] = completion.idLow
      out[at + COMPLETION.idHigh] = completion.idHigh
      out[at + COMPLETION.status] = completion.status
      out[at + COMPLETION.opcode] = succeeded ? completion.opcode : UNDEFINED_FIELD
      out[at + COMPLETION.flags] = succeeded ? completion.flags : UNDEFINED_FIELD
      out[at + COMPLETION.byteLength] = succeeded ? completion.byteLength : UNDEFINED_FIELD
      out[at + COMPLETION.immediate] = succeeded ? completion.immediate : UNDEFINED_FIELD
      out[at + COMPLETION.queuePairNumber] = completion.queuePair.number
      out[at + COMPLETION.vendorError] = 0
      at += COMPLETION.words
      completion.retire()
    }
    return taken.length
  }

  arm(solicitedOnly = false): void {
    this.enter('ibv_req_notify_cq')
    this.armFor('itself', solicitedOnly)
  }

  armFor(tells: 'itself' | 'channel', solicitedOnly: boolean): void {
    this.#tells = tells
    // Arming for all completions replaces arming for solicited ones, but not the reverse.
    if (this.#armed !== 'any') this.#armed = solicitedOnly ? 'solicited' : 'any'
  }

  protected release(): void {
    this.#channel.forget(this)
    this.#entries.length = 0
  }
}
