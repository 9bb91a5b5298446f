/** The connection: messages on the life of one transport, through a sender and a receiver. */
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { setHeadroom } from '../buffer-pool/buffer-slot.js'
import { closeChannel, errorChannel } from '../diagnostics.js'
import { checkInteger, checkObject, checkSignal } from '../driver/options.js'
import { WaitQueue } from '../driver/wait-queue.js'
import { invalidArgument, isNettsError, NettsError } from '../errors.js'
import { Lifecycle, type LifecycleUser } from '../lifecycle/lifecycle.js'
import { backgroundClock, type ClockTimer, clock } from '../runtime/event-loop.js'
import { StallDeadline } from '../runtime/stall-deadline.js'
import { takeTurn } from '../runtime/turn-budget.js'
import type { Transport } from '../transport.js'
import type {
  Connection,
  ConnectionOptions,
  ConnectionState,
  ConnectionStats,
  MessageLease,
  OperationOptions,
  TransportInfo,
} from './connection.js'
import { checkConnectionOptions } from './connection-options.js'
import { HEADER_BYTES, MAX_PAYLOAD_BYTES } from './framing.js'
import { Receiver } from './receiver.js'
import { ACCEPTED, releaseGivenBuffer, Sender, type SenderOwner } from './sender.js'

type Received = Buffer | MessageLease | undefined
/** How a waiting receive takes its message. */
type Take = 'owned' | 'lease'

const END: Promise<undefined> = Promise.resolve(undefined)
const nothing = () => {}

class MessageConnection<T extends Transport> implements Connection<T>, LifecycleUser {
  readonly maxMessageSize: number
  readonly #transport: T
  readonly #allowHalfOpen: boolean
  readonly #life: Lifecycle
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #receives = new WaitQueue<Received, Take>('recv')
  readonly #messageTimeoutMs: number
  #messageDeadline: StallDeadline | undefined
  /** Receives wait for the event loop's next turn. */
  #delivery: ClockTimer | undefined

  constructor(transport: T, options: ConnectionOptions) {
    const limits = checkConnectionOptions(options)
    // The likeliest mistake is a promise of one.
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
    // A pool of another make knows no headroom; the header will go in the chunk before.
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
    return this.#canTake() ? this.#receiver.takeLease() : undefined
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, void, undefined> {
    return this.#iterate('owned')
  }

  leases(): AsyncIterableIterator<MessageLease, void, undefined> {
    return this.#iterate<MessageLease>('lease')
  }

  // Ending.

  finish(): void {
    this.#life.finish()
  }

  close(): Promise<void> {
    this.#life.close(() => {
      this.#receiver.end(undefined)
      this.#settleReceives()
      this.#messageDeadline?.stop()
      this.#sender.rejectWaiting(() => this.#closedError())
    })
    return this.closed.then(nothing)
  }

  destroy(error?: unknown): void {
    const reason = isNettsError(error) ? error : this.#destroyedError(error)
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

  // What it is, and how it is.

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
    this.#deliver()
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
    this.#settleReceives()
    if (error && errorChannel.hasSubscribers) errorChannel.publish({ connection: this, error })
    if (closeChannel.hasSubscribers) closeChannel.publish({ connection: this, error })
  }

  #receive(take: Take, options: OperationOptions | undefined): Promise<Received> {
    let signal: AbortSignal | undefined
    if (options !== undefined) {
      try {
        signal = signalOf(options)
      } catch (error) {
        return Promise.reject(error)
      }
    }
    if (!signal?.aborted) {
      if (this.#canTake()) return Promise.resolve(this.#take(take))
      const { isOver, error, ready } = this.#receiver
      if (isOver && ready === 0) return error ? Promise.reject(error) : END
    }
    return this.#receives.wait(take, signal)
  }

  #take(take: Take): Buffer | MessageLease {
    return take === 'owned' ? this.#receiver.takeOwned() : this.#receiver.takeLease()
  }

  /** Whether a message can be taken at once, out of turn of nobody. */
  #canTake(): boolean {
    if (this.#receives.length > 0) return false
    const receiver = this.#receiver
    if (receiver.ready === 0) {
      if (receiver.isOver) return false
      try {
        this.#poll()
        if (receiver.ready === 0) this.#life.checkClosed()
      } catch (error) {
        this.#life.onThrow(error)
      }
      if (receiver.ready === 0) return false
    }
    if (takeTurn()) return true
    this.#deliverNextTurn()
    return false
  }

  #poll(): void {
    this.#receiver.poll()
    if (this.#receiver.isPartial) this.#awaitRest()
    this.#failIfBroken()
  }

  #failIfBroken(): void {
    const { error } = this.#receiver
    if (error) this.#life.fail(error)
  }

  /** Gives waiting receives what is ready, as long as the event loop can do without a turn. */
  #deliver(): void {
    const receiver = this.#receiver
    while (receiver.ready > 0 && this.#receives.length > 0) {
      if (!takeTurn()) {
        this.#deliverNextTurn()
        return
      }
      const waiter = this.#receives.first!
      waiter.resolve(this.#take(waiter.detail))
      if (receiver.ready === 0) this.#poll()
    }
    if (receiver.isOver) this.#settleReceives()
  }

  #deliverNextTurn(): void {
    this.#delivery ??= clock.setImmediate(() => {
      this.#delivery = undefined
      this.#life.guard(() => this.#deliver())
    })
  }

  /** Nothing more will come: waiting receives get what is ready, and then the end. */
  #settleReceives(): void {
    const receiver = this.#receiver
    for (let waiter = this.#receives.first; waiter; waiter = this.#receives.first) {
      if (receiver.ready > 0) waiter.resolve(this.#take(waiter.detail))
      else if (receiver.error) waiter.reject(receiver.error)
      else waiter.resolve(undefined)
    }
  }

  #iterate<M extends Buffer | MessageLease>(take: Take): AsyncIterableIterator<M, void, undefined> {
    const toResult = (message: Received): IteratorResult<M, void> => {
      if (message !== undefined) return { value: message as M, done: false }
      if (!this.#allowHalfOpen) this.finish()
      return { value: undefined, done: true }
    }
    const iterator: AsyncIterableIterator<M, void, undefined> = {
      next: () =>
        this.#canTake()
          ? Promise.resolve({ value: this.#take(take) as M, done: false as const })
          : this.#receive(take, undefined).then(toResult),
      return: () => Promise.resolve({ value: undefined, done: true as const }),
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  /** The peer has begun a message: it has to go on. */
  #awaitRest(): void {
    this.#messageDeadline ??= new StallDeadline({
      clock: backgroundClock,
      timeoutMs: this.#messageTimeoutMs,
      look: () => this.#life.guard(() => this.#poll()),
      progress: () => this.#restProgress(),
      onStalled: () => this.#life.fail(this.#incompleteError()),
    })
    this.#messageDeadline.start()
  }

  /** @returns how many chunks came, ever; `undefined` when the peer need not send anything */
  #restProgress(): number | undefined {
    const receiver = this.#receiver
    // What waits here to be taken fills the window: it may be this side that the peer waits for.
    if (!receiver.isPartial || receiver.ready > 0) return undefined
    return receiver.chunksReceived
  }

  #incompleteError(): NettsError {
    return new NettsError(
      'ERR_NETTS_TIMEOUT',
      `the peer left a message incomplete for ${this.#messageTimeoutMs} ms`,
      { operation: 'recv', address: this.remoteAddress },
    )
  }

  #destroyedError(cause: unknown): NettsError {
    return new NettsError('ERR_NETTS_DESTROYED', 'the connection was destroyed', {
      cause,
      operation: 'destroy',
      address: this.remoteAddress,
    })
  }

  #sendRefusal(): NettsError {
    return this.#life.error ?? this.#closedError()
  }

  #closedError(): NettsError {
    const { state } = this.#life
    const hasFinished = state === 'finishing' || state === 'finished'
    return new NettsError(
      'ERR_NETTS_CLOSED',
      hasFinished ? 'this side of the connection has finished' : 'the connection is closed',
      { operation: 'send', address: this.remoteAddress },
    )
  }
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` */
function signalOf(options: OperationOptions | undefined): AbortSignal | undefined {
  return options && checkSignal(checkObject('options', options).signal)
}

/**
 * Makes a connection over a transport, which is the connection's from here on.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for no transport, an unknown option, or one out of range; the
 *   transport stays the caller's.
 */
export function createConnection<T extends Transport>(
  transport: T,
  options: ConnectionOptions = {},
): Connection<T> {
  return new MessageConnection(transport, options)
}
