/** Completion channels and queues over the addon. */
import { checkBoolean, checkInteger } from '@netts/core/driver'
import type {
  CompletionChannel,
  CompletionChannelOptions,
  CompletionQueue,
  CompletionQueueOptions,
} from '../verbs/completion-queue.js'
import type { Receiver } from './dispatch.js'
import type { OpenDevice } from './environment.js'
import { attempt, translate } from './failures.js'
import { NativeObject } from './native-object.js'

/** Completions that one poll may be asked to take at most; bounds the array they come in. */
const MAX_BATCH = 4096
/** The event loop stands still while a poll spins: a second is a mistake. */
const MAX_SPIN_MICROSECONDS = 1_000_000

export class AddonCompletionChannel extends NativeObject implements CompletionChannel {
  readonly device: OpenDevice
  readonly vector: number

  constructor(device: OpenDevice, options: CompletionChannelOptions = {}) {
    const { vector = 0 } = options
    checkInteger('vector', vector, 0, 65_535)
    const { binding } = device.environment
    const created = attempt(() => binding.createCompletionChannel(device.use()), { device: device.name })
    super(device.environment, created, 'the completion channel')
    this.device = device
    this.vector = vector
  }

  createCompletionQueue(options: CompletionQueueOptions): CompletionQueue {
    return new AddonCompletionQueue(this, options)
  }

  ref(): void {
    if (!this.closed) this.environment.binding.setChannelRef(this.use(), true)
  }

  unref(): void {
    if (!this.closed) this.environment.binding.setChannelRef(this.use(), false)
  }
}

export class AddonCompletionQueue extends NativeObject implements CompletionQueue, Receiver {
  readonly maxCompletions: number
  readonly completions: Uint32Array
  readonly device: OpenDevice
  #onNotify: (() => void) | undefined

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
  }

  poll(spinMicroseconds = 0): number {
    if (spinMicroseconds !== 0) checkInteger('spinMicroseconds', spinMicroseconds, 0, MAX_SPIN_MICROSECONDS)
    try {
      return this.environment.binding.poll(this.use(), spinMicroseconds)
    } catch (thrown) {
      throw translate(thrown, { device: this.device.name })
    }
  }

  arm(solicitedOnly = false): void {
    checkBoolean('solicitedOnly', solicitedOnly)
    try {
      this.environment.binding.arm(this.use(), solicitedOnly)
    } catch (thrown) {
      throw translate(thrown, { device: this.device.name })
    }
  }

  get onNotify(): (() => void) | undefined {
    return this.#onNotify
  }

  set onNotify(callback: (() => void) | undefined) {
    this.#onNotify = callback
    if (!this.closed) this.environment.dispatch.set(this.serial, callback === undefined ? undefined : this)
  }

  dispatch(): void {
    this.#onNotify?.()
  }

  override close(): void {
    this.environment.subjects.delete(this.serial)
    super.close()
  }
}
