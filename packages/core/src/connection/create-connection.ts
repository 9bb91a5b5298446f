/** The implementation of a connection: a {@link Lifecycle} on one transport, with a sender and a receiver of messages. */
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { setHeadroom } from '../buffer-pool/buffer-slot.js'
import { closeChannel, errorChannel } from '../diagnostics.js'
import { checkInteger, checkObject, checkSignal } from '../driver/options.js'
import { invalidArgument, isNettsError, NettsError } from '../errors.js'
import { Lifecycle, type LifecycleUser } from '../lifecycle/lifecycle.js'
import { backgroundClock } from '../runtime/event-loop.js'
import { StallDeadline } from '../runtime/stall-deadline.js'
import type { Transport } from '../transport.js'
import { CallbackDelivery, type CallbackOwner } from './callback-delivery.js'
import type {
  Connection,
  ConnectionOptions,
  ConnectionState,
  ConnectionStats,
  MessageLease,
  OperationOptions,
  TransportInfo,
} from './connection.js'
import { closedError, destroyedError, incompleteError, receivedOtherwise } from './connection-errors.js'
import { checkConnectionOptions } from './connection-options.js'
import { Delivery, type Received, type Take } from './delivery.js'
import { HEADER_BYTES, MAX_PAYLOAD_BYTES } from './framing.js'
import { Receiver } from './receiver.js'
import { ACCEPTED, releaseGivenBuffer, Sender, type SenderOwner } from './sender.js'

const nothing = () => {}

class MessageConnection<T extends Transport> implements Connection<T>, LifecycleUser, CallbackOwner {
  readonly maxMessageSize: number
  readonly #transport: T
  readonly #allowHalfOpen: boolean
  readonly #life: Lifecycle
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #delivery: Delivery
  #callback: CallbackDelivery | undefined
  readonly #messageTimeoutMs: number
  #messageDeadline: StallDeadline | undefined

  constructor(transport: T, options: ConnectionOptions) {
    const limits = checkConnectionOptions(options)
    // The likeliest mistake is a promise of a transport.
    if (typeof transport?.pollRecv !== 'function') throw invalidArgument('transport must be a Transport')
    this.#transport = transport
    this.maxMessageSize = limits.maxMessageSize
    this.#allowHalfOpen = limits.allowHalfOpen
    const life = new Lifecycle(transport, this, limits)
    this.#life = life
    this.#sender = new Sender(transport, limits.maxMessageSize, life satisfies SenderOwner)
    this.#receiver = new Receiver(transport, limits.maxMessageSize, limits.highWaterMark, (error) =>
      life.onThrow(error),
    )
    this.#delivery = new Delivery(this.#receiver, this)
    this.#messageTimeoutMs = limits.messageTimeoutMs
    life.start()
  }

  // Sending.

  send(data: Uint8Array | PooledBuffer, options?: OperationOptions): Promise<void> {
    if (this.#life.state !== 'open') {
      releaseGivenBuffer(data)
      return Promise.reject(this.#sendRefusal())
    }
    if (options === undefined) return this.#sender.send(data, undefined)
    try {
      return this.#sender.send(data, signalOf(options))
    } catch (error) {
      releaseGivenBuffer(data)
      return Promise.reject(error)
    }
  }

  trySend(data: Uint8Array | PooledBuffer): boolean {
    if (this.#life.state !== 'open') throw this.#sendRefusal()
    return this.#sender.trySend(data)
  }

  async whenWritable(options?: OperationOptions): Promise<void> {
    const signal = signalOf(options)
    if (this.#life.state !== 'open') throw this.#sendRefusal()
    return this.#sender.whenWritable(signal)
  }

  async flush(options?: OperationOptions): Promise<void> {
    const signal = signalOf(options)
    this.#life.guard(() => this.#life.checkClosed())
    const { state, error } = this.#life
    if (state === 'closed') return error ? Promise.reject(error) : ACCEPTED
    return this.#sender.flush(signal)
  }

  alloc(byteLength: number): PooledBuffer {
    checkInteger('byteLength', byteLength, 0, MAX_PAYLOAD_BYTES)
    if (byteLength > this.maxMessageSize) {
      throw new NettsError(
        'ERR_NETTS_MESSAGE_TOO_LARGE',
        `a message of ${byteLength} bytes exceeds maxMessageSize (${this.maxMessageSize})`,
        { operation: 'alloc' },
      )
    }
    const { bufferPool } = this.#transport
    const largest = bufferPool.maxByteLength - HEADER_BYTES
    if (byteLength > largest) {
      throw invalidArgument(
        `a buffer of the transport's pool has room for a message of up to ${largest} bytes, not ${byteLength}`,
        'alloc',
      )
    }
    const buffer = bufferPool.tryAlloc(byteLength + HEADER_BYTES)
    if (!buffer) {
      throw new NettsError(
        'ERR_NETTS_POOL_EXHAUSTED',
        `no buffer for a message of ${byteLength} bytes is free; send or release some, or make the pool larger`,
        { operation: 'alloc' },
      )
    }
    if (setHeadroom(buffer, HEADER_BYTES)) return buffer
    // A pool that is not of this package has no headroom; the header will go into the chunk before.
    buffer.release()
    return bufferPool.alloc(Math.max(1, byteLength))
  }

  // Receiving.

  recv(options?: OperationOptions): Promise<Buffer | undefined> {
    return this.#receive('owned', options) as Promise<Buffer | undefined>
  }

  recvLease(options?: OperationOptions): Promise<MessageLease | undefined> {
    return this.#receive('lease', options) as Promise<MessageLease | undefined>
  }

  tryRecvLease(): MessageLease | undefined {
    this.#checkReceivable()
    return this.#delivery.canTake() ? this.#receiver.takeLease() : undefined
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, void, undefined> {
    return this.#iterate('owned')
  }

  leases(): AsyncIterableIterator<MessageLease> {
    return this.#iterate<MessageLease>('lease')
  }

  onMessage(callback: (lease: MessageLease) => void): void {
    this.#checkReceivable()
    if (typeof callback !== 'function') throw invalidArgument('callback must be a function', 'onMessage')
    if (this.#delivery.isAwaited) throw receivedOtherwise('by a receive that waits')
    this.#callback = new CallbackDelivery(this.#receiver, this, callback)
    this.#callback.goOnNextTurn()
  }

  // Ending.

  finish(): void {
    this.#life.finish()
  }

  close(): Promise<void> {
    this.#life.close(() => {
      this.#receiver.end(undefined)
      this.#deliverer.settle()
      this.#messageDeadline?.stop()
      this.#sender.rejectWaiting(() => this.#closedError())
    })
    return this.closed.then(nothing)
  }

  destroy(error?: unknown): void {
    const reason = isNettsError(error) ? error : destroyedError(error, this.remoteAddress)
    this.#receiver.end(reason)
    this.#receiver.discardReady()
    this.#life.destroy(reason)
  }

  ref(): void {
    this.#transport.ref()
  }

  unref(): void {
    this.#transport.unref()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // State and metadata.

  get state(): ConnectionState {
    const { state } = this.#life
    return state === 'disconnecting' ? 'closing' : state
  }

  get closed(): Promise<NettsError | undefined> {
    return this.#life.closed
  }

  get peerEnded(): Promise<void> {
    return this.#life.peerEnded
  }

  get queuedBytes(): number {
    return this.#sender.queuedBytes + this.#transport.queuedBytes
  }

  get transport(): TransportInfo<T> {
    return this.#transport
  }

  get localAddress() {
    return this.#transport.localAddress
  }

  get remoteAddress() {
    return this.#transport.remoteAddress
  }

  get stats(): ConnectionStats {
    const sender = this.#sender
    const receiver = this.#receiver
    return {
      messagesSent: sender.messagesSent,
      messagesReceived: receiver.messagesReceived,
      bytesSent: sender.bytesSent,
      bytesReceived: receiver.bytesReceived,
      chunksSent: sender.postedSends,
      chunksReceived: receiver.chunksReceived,
      zeroCopySends: sender.zeroCopySends,
      assembledLeases: receiver.assembledLeases,
      copiedLeases: receiver.copiedLeases,
      bytesBuffered: receiver.bytesBuffered,
    }
  }

  // For the lifecycle.

  pump(): void {
    this.#sender.pump()
  }

  get isDrained(): boolean {
    return this.#sender.isDrained
  }

  get postedBytes(): number {
    return this.#sender.postedBytes
  }

  receive(): void {
    this.#poll()
    this.#deliverer.goOn()
  }

  receiveRest(): void {
    const wasOver = this.#receiver.isOver
    this.#receiver.pollRest()
    if (!wasOver) this.#failIfBroken()
  }

  discardInput(): void {
    this.#receiver.discardInput()
  }

  onClosed(error: NettsError | undefined): void {
    this.#receiver.end(error)
    this.#messageDeadline?.stop()
    this.#sender.stop(error, () => this.#closedError())
    this.#deliverer.settle()
    if (error && errorChannel.hasSubscribers) errorChannel.publish({ connection: this, error })
    if (closeChannel.hasSubscribers) closeChannel.publish({ connection: this, error })
  }

  /** For the delivery. */
  takeIn(): void {
    try {
      this.#poll()
      if (this.#receiver.ready === 0) this.#life.checkClosed()
    } catch (error) {
      this.#life.onThrow(error)
    }
  }

  wake(): void {
    this.#life.wake()
  }

  wakeSoon(): void {
    this.#life.scheduleWake()
  }

  onThrow(error: unknown): void {
    this.#life.onThrow(error)
  }

  onEndDelivered(): void {
    if (!this.#allowHalfOpen) this.finish()
  }

  get #deliverer(): Delivery | CallbackDelivery {
    return this.#callback ?? this.#delivery
  }

  /** @throws NettsError `ERR_NETTS_INVALID_STATE` */
  #checkReceivable(): void {
    if (this.#callback) throw receivedOtherwise('by the callback of onMessage')
  }

  #receive(take: Take, options: OperationOptions | undefined): Promise<Received> {
    try {
      this.#checkReceivable()
      if (options === undefined) return this.#delivery.receive(take, undefined)
      return this.#delivery.receive(take, signalOf(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #poll(): void {
    const receiver = this.#receiver
    const { chunksReceived } = receiver
    receiver.poll()
    if (receiver.ready === 1 && receiver.chunksReceived !== chunksReceived) this.#sender.mayAnswer()
    if (receiver.isHeldBack && !receiver.isFull) this.#deliverer.goOnNextTurn()
    if (receiver.isPartial) this.#awaitRest()
    this.#failIfBroken()
  }

  #failIfBroken(): void {
    const { error } = this.#receiver
    if (error) this.#life.fail(error)
  }

  #iterate<M extends Buffer | MessageLease>(take: Take): AsyncIterableIterator<M> {
    const toResult = (message: Received): IteratorResult<M, void> => {
      if (message !== undefined) return { value: message as M, done: false }
      if (!this.#allowHalfOpen) this.finish()
      return { value: undefined, done: true }
    }
    const iterator: AsyncIterableIterator<M> = {
      next: () =>
        !this.#callback && this.#delivery.canTake()
          ? Promise.resolve({ value: this.#delivery.take(take) as M, done: false as const })
          : this.#receive(take, undefined).then(toResult),
      return: () => Promise.resolve({ value: undefined, done: true as const }),
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  /** The peer has begun a message: starts the deadline for the rest of it. */
  #awaitRest(): void {
    this.#messageDeadline ??= new StallDeadline({
      clock: backgroundClock,
      timeoutMs: this.#messageTimeoutMs,
      progress: () => this.#restProgress(),
      onStalled: () => this.#life.fail(incompleteError(this.#messageTimeoutMs, this.remoteAddress)),
    })
    this.#messageDeadline.start()
  }

  /** @returns how many chunks were received; `undefined` when the deadline does not apply */
  #restProgress(): number | undefined {
    const receiver = this.#receiver
    // Messages that wait to be received may fill the window, so that the peer waits for this side.
    if (!receiver.isPartial || receiver.ready > 0) return undefined
    return receiver.chunksReceived
  }

  #sendRefusal(): NettsError {
    return this.#life.error ?? this.#closedError()
  }

  #closedError(): NettsError {
    const { state } = this.#life
    return closedError(state === 'finishing' || state === 'finished', this.remoteAddress)
  }
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` */
function signalOf(options: OperationOptions | undefined): AbortSignal | undefined {
  return options && checkSignal(checkObject('options', options).signal)
}

/**
 * Makes a connection over a transport. The transport belongs to the connection from then on.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for something that is not a transport, and for an option that is unknown,
 *   of the wrong type or out of range; the transport then remains the caller's
 */
export function createConnection<T extends Transport>(
  transport: T,
  options: ConnectionOptions = {},
): Connection<T> {
  return new MessageConnection(transport, options)
}
