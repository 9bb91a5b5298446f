/** Shared receive queues over the addon. */
import { checkInteger } from '@netts/core/driver'
import { receiveRecordWords } from '../verbs/layout.js'
import type { SharedReceiveQueue, SharedReceiveQueueOptions } from '../verbs/shared-receive-queue.js'
import { DirectObject } from './direct-object.js'
import type { OpenDevice } from './environment.js'
import { attempt, translate } from './failures.js'
import type { Handle } from './native-binding.js'

export class AddonSharedReceiveQueue extends DirectObject implements SharedReceiveQueue {
  readonly maxWorkRequests: number
  readonly maxEntries: number
  readonly receiveRequests: Uint32Array
  readonly receiveRecordWords: number
  readonly device: OpenDevice

  constructor(domain: { readonly device: OpenDevice; use(): Handle }, options: SharedReceiveQueueOptions) {
    const { attributes, environment, name } = domain.device
    const { maxWorkRequests, maxEntries = 1 } = options
    checkInteger('maxWorkRequests', maxWorkRequests, 1, attributes.maxSharedReceiveWorkRequests)
    checkInteger('maxEntries', maxEntries, 1, attributes.maxSharedReceiveEntries)
    const native = attempt(
      () => environment.binding.createSharedReceiveQueue(domain.use(), maxWorkRequests, maxEntries),
      { device: name },
    )
    super(environment, native, 'the shared receive queue')
    environment.subjects.set(this.serial, new WeakRef(this))
    this.device = domain.device
    this.maxWorkRequests = native.maxWorkRequests
    this.maxEntries = native.maxEntries
    this.receiveRequests = new Uint32Array(native.buffer)
    this.receiveRecordWords = receiveRecordWords(maxEntries)
  }

  postReceive(count: number, first = 0): number {
    try {
      return this.environment.binding.postSharedReceive(this.callId, first, count)
    } catch (thrown) {
      throw translate(thrown, { device: this.device.name })
    }
  }

  setLimit(limit: number): void {
    checkInteger('limit', limit, 0, this.maxWorkRequests)
    attempt(() => this.environment.binding.setSharedReceiveLimit(this.use(), limit), {
      device: this.device.name,
    })
  }

  override close(): void {
    this.environment.subjects.delete(this.serial)
    super.close()
  }
}
