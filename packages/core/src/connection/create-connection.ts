/** The connection: one transport, a sender, a receiver, and the states that it goes through. */
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { setHeadroom } from '../buffer-pool/buffer-slot.js'
import { closeChannel, errorChannel } from '../diagnostics.js'
import { checkInteger } from '../driver/options.js'
import { WaitQueue } from '../driver/wait-queue.js'
import { invalidArgument, isNettsError, NettsError, timedOut } from '../errors.js'
import type { Transport } from '../transport.js'
import type {
  Connection,
  ConnectionOptions,
  ConnectionStats,
  MessageLease,
  OperationOptions,
} from './connection.js'
import { checkConnectionOptions } from './connection-options.js'
import { HEADER_BYTES, MAX_PAYLOAD_BYTES } from './framing.js'
import { Receiver } from './receiver.js'
import { ACCEPTED, releaseGivenBuffer, Sender } from './sender.js'
import { StallTimer } from './stall-timer.js'

const { nextTick } = process

/** How long a closing connection waits for the transport to take another byte of what was accepted. */
const CLOSE_STALL_TIMEOUT_MS = 5_000

/**
 * The states of a connection. Transitions only go down this list:
 *
 * - `open`: both directions work;
 * - `finishing`: no new sends; those that wait still go, and then the transport's half-close;
 * - `finished`: the half-close was said; receiving goes on;
 * - `closing`: what was accepted still goes, input is discarded, and then the transport disconnects;
 * - `disconnecting`: the transport is closing;
 * - `closed`.
 */
type ConnectionState = 'open' | 'finishing' | 'finished' | 'closing' | 'disconnecting' | 'closed'

const OWNED = 'owned'
const LEASE = 'lease'
type Received = Buffer | MessageLease | undefined

const END: Promise<undefined> = Promise.resolve(undefined)

class MessageConnection implements Connection {
  readonly maxMessageSize: number
  readonly transport: Transport
  readonly closed: Promise<NettsError | undefined>
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #receives = new WaitQueue<Received, typeof OWNED | typeof LEASE>('recv')
  readonly #messageTimer: StallTimer
  readonly #closeTimer: StallTimer
  #state: ConnectionState = 'open'
  #error: NettsError | undefined
  #resolveClosed!: (error: NettsError | undefined) => void
  #isWakeScheduled = false
  // At the last poll, messages waited to be taken.
  #isReaderBehind = false
  #postedWhenClosing = 0

  constructor(transport: Transport, options: ConnectionOptions) {
    const { maxMessageSize, highWaterMark, messageTimeoutMs } = checkConnectionOptions(options)
    // The likeliest mistake is a promise of one.
    if (typeof transport?.pollRecv !== 'function') throw invalidArgument('transport must be a Transport')
    this.transport = transport
    this.maxMessageSize = maxMessageSize
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#sender = new Sender(transport, maxMessageSize, () => this.#scheduleWake())
    this.#receiver = new Receiver(transport, maxMessageSize, highWaterMark)
    this.#messageTimer = new StallTimer(messageTimeoutMs, () => this.#onMessageStalled(messageTimeoutMs))
    this.#closeTimer = new StallTimer(CLOSE_STALL_TIMEOUT_MS, () =>
      this.#fail(timedOut('close', CLOSE_STALL_TIMEOUT_MS, transport.remoteAddress)),
    )
    transport.waker = () => this.#wake()
    this.#scheduleWake()
  }

  send(data: Uint8Array | PooledBuffer, options?: OperationOptions): Promise<void> {
    const signal = options?.signal
    if (this.#state === 'open' && isSignal(signal)) return this.#sender.send(data, signal)
    releaseGivenBuffer(data)
    return Promise.reject(isSignal(signal) ? this.#sendRefusal() : badSignal('send'))
  }

  trySend(data: Uint8Array | PooledBuffer): boolean {
    if (this.#state !== 'open') throw this.#sendRefusal()
    return this.#sender.trySend(data)
  }

  flush(options?: OperationOptions): Promise<void> {
    const signal = options?.signal
    if (!isSignal(signal)) return Promise.reject(badSignal('flush'))
    if (this.#state === 'closed') return this.#error ? Promise.reject(this.#error) : ACCEPTED
    this.#checkClosed()
    return this.#sender.flush(signal)
  }

  recv(options?: OperationOptions): Promise<Buffer | undefined> {
    const signal = options?.signal
    if (this.#canTake(signal)) return Promise.resolve(this.#receiver.takeOwned())
    return this.#waitForMessage(OWNED, signal) as Promise<Buffer | undefined>
  }

  recvLease(options?: OperationOptions): Promise<MessageLease | undefined> {
    const signal = options?.signal
    if (this.#canTake(signal)) return Promise.resolve(this.#receiver.takeLease())
    return this.#waitForMessage(LEASE, signal) as Promise<MessageLease | undefined>
  }

  tryRecvLease(): MessageLease | undefined {
    return this.#canTake(undefined) ? this.#receiver.takeLease() : undefined
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
    const { bufferPool } = this.transport
    const buffer = bufferPool.alloc(byteLength + HEADER_BYTES)
    if (setHeadroom(buffer, HEADER_BYTES)) return buffer
    // A pool of another make knows no headroom; the header will go in the chunk before.
    buffer.release()
    return bufferPool.alloc(byteLength)
  }

  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'finishing'
    this.#sender.pump()
    this.#advanceEnd()
  }

  close(): Promise<void> {
    if (this.#state === 'open' || this.#state === 'finishing' || this.#state === 'finished') {
      this.#receiver.pollRest()
      if (this.#receiver.error) {
        this.#fail(this.#receiver.error)
        return this.close()
      }
      this.#state = 'closing'
      this.#receiver.end(undefined)
      this.#settleReceives()
      this.#messageTimer.clear()
      this.#sender.rejectWaiting(() => this.#closedError('send'))
      this.#closeTimer.restart()
      this.#sender.pump()
      this.#advanceEnd()
    }
    return this.closed.then(nothing)
  }

  destroy(error?: NettsError): void {
    const reason = isNettsError(error) ? error : this.#destroyedError(error)
    this.#receiver.end(reason)
    this.#receiver.discardReady()
    this.#fail(reason)
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

  get localAddress() {
    return this.transport.localAddress
  }

  get remoteAddress() {
    return this.transport.remoteAddress
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, void, undefined> {
    const toResult = (message: Buffer | undefined): IteratorResult<Buffer, void> => {
      if (message !== undefined) return { value: message, done: false }
      this.finish()
      return { value: undefined, done: true }
    }
    return {
      next: () =>
        this.#canTake(undefined)
          ? Promise.resolve({ value: this.#receiver.takeOwned(), done: false })
          : this.recv().then(toResult),
      return: () => Promise.resolve({ value: undefined, done: true }),
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Whether a message can be taken at once, out of turn of nobody. */
  #canTake(signal: AbortSignal | undefined): boolean {
    if (this.#receives.length > 0 || !isSignal(signal) || signal?.aborted) return false
    if (this.#receiver.ready > 0) return true
    if (this.#receiver.isOver) return false
    this.#poll()
    if (this.#receiver.ready > 0) return true
    this.#checkClosed()
    return false
  }

  #waitForMessage(kind: typeof OWNED | typeof LEASE, signal: AbortSignal | undefined): Promise<Received> {
    if (!isSignal(signal)) return Promise.reject(badSignal('recv'))
    const { isOver, error, ready } = this.#receiver
    if (isOver && ready === 0 && !signal?.aborted) return error ? Promise.reject(error) : END
    return this.#receives.wait(kind, signal)
  }

  /** What the transport's waker calls: anything may have changed. */
  #wake(): void {
    if (this.#state === 'closed') return
    this.#sender.pump()
    if (this.#state === 'closing' || this.#state === 'disconnecting') this.#receiver.discardInput()
    else this.#receive()
    if ((this.#state as ConnectionState) === 'closed') return
    if (this.transport.pollDisconnect()) this.#onClosed(this.transport.error)
    else this.#advanceEnd()
  }

  /** Before waiting for the waker: it announces changes only, and a closed transport changes no more. */
  #checkClosed(): void {
    if (this.transport.pollDisconnect()) this.#scheduleWake()
  }

  #scheduleWake(): void {
    if (this.#isWakeScheduled) return
    this.#isWakeScheduled = true
    nextTick(MessageConnection.#onTick, this)
  }

  static #onTick(this: void, connection: MessageConnection): void {
    connection.#isWakeScheduled = false
    connection.#wake()
  }

  #receive(): void {
    this.#poll()
    while (this.#receiver.ready > 0 && this.#receives.length > 0) {
      const waiter = this.#receives.first!
      waiter.resolve(waiter.detail === OWNED ? this.#receiver.takeOwned() : this.#receiver.takeLease())
      if (this.#receiver.ready === 0) this.#poll()
    }
    if (this.#receiver.isOver) this.#settleReceives()
  }

  #poll(): void {
    const receiver = this.#receiver
    const { chunksReceived } = receiver
    const wasBehind = this.#isReaderBehind
    receiver.poll()
    this.#isReaderBehind = receiver.ready > 0
    if (receiver.isPartial && (receiver.chunksReceived !== chunksReceived || wasBehind)) {
      this.#messageTimer.restart()
    }
    if (receiver.error && this.#state !== 'closed') this.#fail(receiver.error)
  }

  #onMessageStalled(timeoutMs: number): void {
    if (!this.#receiver.isPartial) return
    if (this.#receiver.ready > 0) {
      // What waits here to be taken fills the window: it may be this side that the peer waits for.
      this.#messageTimer.restart()
      return
    }
    this.#fail(
      new NettsError('ERR_NETTS_TIMEOUT', `the peer left a message incomplete for ${timeoutMs} ms`, {
        operation: 'recv',
        address: this.remoteAddress,
      }),
    )
  }

  /** Says the half-close, or disconnects, once everything that was accepted is out. */
  #advanceEnd(): void {
    if (this.#state === 'closing' && this.#sender.postedSends !== this.#postedWhenClosing) {
      this.#postedWhenClosing = this.#sender.postedSends
      this.#closeTimer.restart()
    }
    if (!this.#sender.isIdle) return
    if (this.#state === 'finishing') {
      this.#state = 'finished'
      this.transport.finish()
    } else if (this.#state === 'closing') {
      this.#state = 'disconnecting'
      this.#closeTimer.clear()
      this.transport.disconnect()
    } else {
      return
    }
    // It may be closed by that.
    this.#scheduleWake()
  }

  #fail(error: NettsError): void {
    if (this.#state === 'closed') return
    this.transport.destroy(error)
    this.#onClosed(error)
  }

  #onClosed(error: NettsError | undefined): void {
    if (this.#state === 'closed') return
    this.#receiver.pollRest()
    const ended = error ?? this.#receiver.error
    this.#receiver.end(ended)
    this.#state = 'closed'
    this.#error = ended
    this.transport.waker = undefined
    this.#messageTimer.clear()
    this.#closeTimer.clear()
    this.#sender.stop(ended, () => this.#closedError('send'))
    this.#settleReceives()
    this.#resolveClosed(ended)
    if (ended && errorChannel.hasSubscribers) errorChannel.publish({ connection: this, error: ended })
    if (closeChannel.hasSubscribers) closeChannel.publish({ connection: this, error: ended })
  }

  /** Nothing more will come: waiting receives get what is ready, and then the end. */
  #settleReceives(): void {
    const receiver = this.#receiver
    for (let waiter = this.#receives.first; waiter; waiter = this.#receives.first) {
      if (receiver.ready > 0) {
        waiter.resolve(waiter.detail === OWNED ? receiver.takeOwned() : receiver.takeLease())
      } else if (receiver.error) {
        waiter.reject(receiver.error)
      } else {
        waiter.resolve(undefined)
      }
    }
  }

  #sendRefusal(): NettsError {
    return this.#error ?? this.#closedError('send')
  }

  #destroyedError(cause: unknown): NettsError {
    return new NettsError('ERR_NETTS_DESTROYED', 'the connection was destroyed', {
      cause,
      operation: 'destroy',
      address: this.remoteAddress,
    })
  }

  #closedError(operation: string): NettsError {
    return new NettsError(
      'ERR_NETTS_CLOSED',
      this.#state === 'closed' || this.#state === 'closing' || this.#state === 'disconnecting'
        ? 'the connection is closed'
        : 'this side of the connection has finished',
      { operation, address: this.remoteAddress },
    )
  }
}

const nothing = () => {}

function isSignal(signal: unknown): signal is AbortSignal | undefined {
  return signal === undefined || signal instanceof AbortSignal
}

function badSignal(operation: string): NettsError {
  return invalidArgument('signal must be an AbortSignal', operation)
}

/**
 * Makes a connection over a transport, which is the connection's from here on.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for no transport, or options out of range; the transport stays
 *   the caller's.
 */
export function createConnection(transport: Transport, options: ConnectionOptions = {}): Connection {
  return new MessageConnection(transport, options)
}
