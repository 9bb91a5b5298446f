/** Queue pairs over the addon. */
import { checkInteger, invalidArgument } from '@netts/core/driver'
import { receiveRecordWords, sendRecordWords } from '../verbs/layout.js'
import type { QueuePair, QueuePairAttributes, QueuePairOptions, QueuePairState } from '../verbs/queue-pair.js'
import { AddonCompletionQueue } from './completion-queue.js'
import { DirectObject } from './direct-object.js'
import type { OpenDevice } from './environment.js'
import { attempt, translate } from './failures.js'
import type { Handle, NativeBinding } from './native-binding.js'
import { AddonProtectionDomain } from './protection-domain.js'
import { AddonSharedReceiveQueue } from './shared-receive-queue.js'

/** In the order of `enum ibv_qp_state`. */
const STATES: readonly QueuePairState[] = [
  'reset',
  'init',
  'ready-to-receive',
  'ready-to-send',
  'send-queue-drained',
  'send-queue-error',
  'error',
]

export class AddonQueuePair extends DirectObject implements QueuePair {
  readonly number: number
  readonly maxSendWorkRequests: number
  readonly maxReceiveWorkRequests: number
  readonly maxSendEntries: number
  readonly maxReceiveEntries: number
  readonly maxInlineBytes: number
  readonly sendRequests: Uint32Array
  readonly sendRecordWords: number
  readonly receiveRequests: Uint32Array
  readonly receiveRecordWords: number
  readonly #deviceName: string
  readonly #postSend: NativeBinding['postSend']
  readonly #postReceive: NativeBinding['postReceive']

  constructor(device: OpenDevice, id: Handle, options: QueuePairOptions) {
    const { environment, attributes, name } = device
    const domain = expect(options.protectionDomain, AddonProtectionDomain, 'protectionDomain')
    const sendQueue = expect(options.sendCompletionQueue, AddonCompletionQueue, 'sendCompletionQueue')
    const receiveQueue =
      options.receiveCompletionQueue === undefined
        ? sendQueue
        : expect(options.receiveCompletionQueue, AddonCompletionQueue, 'receiveCompletionQueue')
    const sharedQueue =
      options.sharedReceiveQueue === undefined
        ? undefined
        : expect(options.sharedReceiveQueue, AddonSharedReceiveQueue, 'sharedReceiveQueue')
    for (const made of [domain, sendQueue, receiveQueue, sharedQueue]) {
      if (made === undefined || made.device === device) continue
      throw invalidArgument(`an object of the device ${made.device.name} cannot be used on ${name}`)
    }
    if (sharedQueue !== undefined && options.maxReceiveWorkRequests !== undefined) {
      throw invalidArgument('maxReceiveWorkRequests must be left out with a shared receive queue')
    }
    const { maxSendEntries = 1, maxReceiveEntries = 1 } = options
    const limits = {
      maxSendWorkRequests: options.maxSendWorkRequests,
      maxReceiveWorkRequests: options.maxReceiveWorkRequests ?? 0,
      maxSendEntries,
      maxReceiveEntries,
      maxInlineBytes: options.maxInlineBytes ?? 0,
    }
    checkInteger('maxSendWorkRequests', limits.maxSendWorkRequests, 1, attributes.maxWorkRequests)
    checkInteger('maxReceiveWorkRequests', limits.maxReceiveWorkRequests, 0, attributes.maxWorkRequests)
    checkInteger('maxSendEntries', maxSendEntries, 1, attributes.maxEntries)
    checkInteger('maxReceiveEntries', maxReceiveEntries, 1, attributes.maxEntries)
    checkInteger('maxInlineBytes', limits.maxInlineBytes, 0, 65_536)
    const native = attempt(
      () =>
        environment.binding.createQueuePair(
          id,
          domain.use(),
          sendQueue.use(),
          receiveQueue.use(),
          sharedQueue?.use(),
          limits,
        ),
      { device: name },
    )
    super(environment, native, 'the queue pair')
    environment.subjects.set(this.serial, new WeakRef(this))
    this.number = native.queuePairNumber
    this.#deviceName = name
    this.#postSend = environment.binding.postSend
    this.#postReceive = environment.binding.postReceive
    this.maxSendWorkRequests = native.maxSendWorkRequests
    this.maxReceiveWorkRequests = native.maxReceiveWorkRequests
    this.maxSendEntries = native.maxSendEntries
    this.maxReceiveEntries = native.maxReceiveEntries
    this.maxInlineBytes = native.maxInlineBytes
    this.sendRequests = new Uint32Array(native.sendBuffer)
    this.sendRecordWords = sendRecordWords(maxSendEntries)
    this.receiveRequests = new Uint32Array(native.receiveBuffer)
    this.receiveRecordWords = receiveRecordWords(maxReceiveEntries)
  }

  postSend(count: number, first = 0): number {
    try {
      return this.#postSend(this.callId, first, count)
    } catch (thrown) {
      throw translate(thrown, { device: this.#deviceName })
    }
  }

  postReceive(count: number, first = 0): number {
    try {
      return this.#postReceive(this.callId, first, count)
    } catch (thrown) {
      throw translate(thrown, { device: this.#deviceName })
    }
  }

  get state(): QueuePairState {
    return STATES[this.#call(this.environment.binding.queuePairState)]!
  }

  attributes(): QueuePairAttributes {
    const native = this.#call(this.environment.binding.queuePairAttributes)
    return { ...native, state: STATES[native.state]! }
  }

  moveToError(): void {
    this.#call(this.environment.binding.moveToError)
  }

  setMinRnrTimer(code: number): void {
    checkInteger('code', code, 0, 31)
    this.#call((handle) => this.environment.binding.setMinRnrTimer(handle, code))
  }

  #call<T>(call: (handle: Handle) => T): T {
    return attempt(() => call(this.use()), { device: this.#deviceName })
  }

  override close(): void {
    this.environment.subjects.delete(this.serial)
    super.close()
  }
}

/** Refuses objects of another implementation, which have no native handle. */
function expect<T>(value: unknown, type: abstract new (...args: never[]) => T, name: string): T {
  if (value instanceof type) return value
  throw invalidArgument(`${name} must be an object made by this implementation of verbs`)
}
