/** Completion channels and queues over the addon. */
import { checkBoolean, checkInteger } from '@netts/core/driver'
import type {
  CompletionChannel,
  CompletionChannelOptions,
  CompletionQueue,
  CompletionQueueOptions,
} from '../verbs/completion-queue.js'
import type { OpenDevice } from './environment.js'
import { attempt, translate } from './failures.js'
import type { NativeBinding } from './native-binding.js'
import { NotifyingObject } from './notifying-object.js'

/** The most completions that a poll may be asked to take: it limits the size of the array. */
const MAX_BATCH = 4096

export class AddonCompletionChannel extends NotifyingObject implements CompletionChannel {
  readonly device: OpenDevice
  readonly vector: number
  readonly completions: Uint32Array
  readonly #poll: NativeBinding['pollChannel']
  readonly #arm: NativeBinding['armChannel']

  constructor(device: OpenDevice, options: CompletionChannelOptions = {}) {
    const { vector = 0, batch = 64 } = options
    checkInteger('vector', vector, 0, device.attributes.completionVectors - 1)
    checkInteger('batch', batch, 1, MAX_BATCH)
    const { binding } = device.environment
    const native = attempt(() => binding.createCompletionChannel(device.use(), batch), {
      device: device.name,
    })
    super(device.environment, native, 'the completion channel')
    this.device = device
    this.vector = vector
    this.completions = new Uint32Array(native.buffer)
    this.#poll = binding.pollChannel
    this.#arm = binding.armChannel
  }

  createCompletionQueue(options: CompletionQueueOptions): CompletionQueue {
    return new AddonCompletionQueue(this, options)
  }

  poll(spinMicroseconds = 0): number {
    try {
      return this.#poll(this.callId, spinMicroseconds)
    } catch (thrown) {
      throw translate(thrown, { device: this.device.name })
    }
  }

  arm(): number {
    try {
      return this.#arm(this.callId)
    } catch (thrown) {
      throw translate(thrown, { device: this.device.name })
    }
  }

  ref(): void {
    if (!this.closed) this.environment.binding.setChannelRef(this.use(), true)
  }

  unref(): void {
    if (!this.closed) this.environment.binding.setChannelRef(this.use(), false)
  }
}

export class AddonCompletionQueue extends NotifyingObject implements CompletionQueue {
  readonly maxCompletions: number
  readonly completions: Uint32Array
  readonly device: OpenDevice
  readonly #poll: NativeBinding['poll']
  readonly #arm: NativeBinding['arm']

  constructor(channel: AddonCompletionChannel, options: CompletionQueueOptions) {
    const { device } = channel
    const { maxCompletions, batch = 64 } = options
    checkInteger('maxCompletions', maxCompletions, 1, device.attributes.maxCompletions)
    checkInteger('batch', batch, 1, MAX_BATCH)
    const { binding } = device.environment
    const native = attempt(
      () => binding.createCompletionQueue(channel.use(), maxCompletions, batch, channel.vector),
      { device: device.name },
    )
    super(device.environment, native, 'the completion queue')
    this.environment.subjects.set(this.serial, new WeakRef(this))
    this.device = device
    this.maxCompletions = native.maxCompletions
    this.completions = new Uint32Array(native.buffer)
    this.#poll = binding.poll
    this.#arm = binding.arm
  }

  poll(spinMicroseconds = 0): number {
    try {
      return this.#poll(this.callId, spinMicroseconds)
    } catch (thrown) {
      throw translate(thrown, { device: this.device.name })
    }
  }

  arm(solicitedOnly = false): void {
    checkBoolean('solicitedOnly', solicitedOnly)
    try {
      this.#arm(this.callId, solicitedOnly ? 1 : 0)
    } catch (thrown) {
      throw translate(thrown, { device: this.device.name })
    }
  }

  override close(): void {
    this.environment.subjects.delete(this.serial)
    super.close()
  }
}
