/**
 * The part of a transport that is the same for every driver: checks of arguments, the states and their order,
 * completions, the waker and its error boundary, the deadline of `disconnect`, and the wait for the peer's end after it.
 *
 * A driver extends this class. It implements the abstract methods, which this class calls, and reports events by the
 * protected methods {@link BaseTransport.completeSends}, {@link BaseTransport.onPeerEnd},
 * {@link BaseTransport.onEndTaken} and {@link BaseTransport.onFailure}.
 */
import type { Address } from '../address.js'
import type { BufferPool, PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { type BufferSlot, checkSendRange, takeSlot } from '../buffer-pool/buffer-slot.js'
import { invalidArgument, NettsError, threw, timedOut } from '../errors.js'
import { NO_BYTES, toBytes } from '../runtime/bytes.js'
import { type Clock, type ClockTimer, clock } from '../runtime/event-loop.js'
import { StallDeadline } from '../runtime/stall-deadline.js'
import type {
  DisconnectOptions,
  RecvCompletion,
  Transport,
  TransportCapabilities,
  TransportState,
} from '../transport.js'
import { checkOptionNames, checkTimeout, show } from './options.js'
import { Waker } from './waker.js'

const DEFAULT_DISCONNECT_TIMEOUT_MS = 5000

// One for all transports, because drivers copy before they return.
const onePart: Uint8Array[] = [NO_BYTES]

/** The addresses at both ends of a connection. */
export interface TransportEnds<A extends Address = Address> {
  /** The address at this end. */
  readonly localAddress: A
  /** The address of the peer. */
  readonly remoteAddress: A
}

/**
 * The base class of drivers' transports. The driver adds the wire.
 *
 * | state           | on                                    | becomes                                    |
 * | --------------- | ------------------------------------- | ------------------------------------------ |
 * | `open`          | `finish()`                            | `finished`, and `sayEnd()`                 |
 * | `open`          | `disconnect()`                        | `disconnecting`, and `sayEnd()`            |
 * | `finished`      | `disconnect()`                        | `disconnecting`                            |
 * | `finished`      | end taken, and the peer's end arrived | `closed`, and `release()`                  |
 * | `disconnecting` | end taken                             | `closed`; `release()` with the peer's end  |
 * | `disconnecting` | no progress for `timeoutMs`           | `closed` with an error, and `cut()`        |
 * | any but closed  | `destroy()`                           | `closed` with an error, and `cut()`        |
 * | any but closed  | `onFailure()`                         | `closed` with an error, and `release()`    |
 */
export abstract class BaseTransport<A extends Address = Address> implements Transport {
  abstract readonly capabilities: TransportCapabilities
  abstract readonly bufferPool: BufferPool
  abstract readonly maxSendSize: number
  abstract readonly recvWindow: number
  abstract readonly queuedBytes: number
  /** The clock of the deadline of `disconnect`. Its timers keep the process alive. */
  protected readonly clock: Clock
  readonly #waker = new Waker((error) => this.onThrow(error))
  #state: TransportState = 'open'
  #error: NettsError | undefined
  /** Whether `finish`, `disconnect` or `destroy` was called: sending is an error from then on. */
  #saidEnd = false
  #isEndTaken = false
  #hasPeerEnded = false
  #isInputDiscarded = false
  #completed = 0
  /** Whether a send was refused, or a poll for completions was empty: the waker is called for the next completion. */
  #awaitsCompletion = false
  #disconnectTimeoutMs = DEFAULT_DISCONNECT_TIMEOUT_MS
  #deadline: StallDeadline | undefined
  /** Whether the transport is closed and the wire is kept open for the peer's end. */
  #isLingering = false
  #linger: ClockTimer | undefined

  readonly #ends: TransportEnds<A>

  /**
   * @param ends the addresses at both ends; its properties are read each time that an address is asked for
   * @param time the clock of deadlines. @default {@link clock}
   */
  protected constructor(ends: TransportEnds<A>, time: Clock = clock) {
    this.#ends = ends
    this.clock = time
  }

  // What a driver implements. None of these is called on a closed transport, unless its comment says so.

  /**
   * Copies and queues up to {@link maxSendSize} bytes of the parts. At least one part is not empty.
   * @returns the number of bytes accepted; 0 when there is no capacity
   */
  protected abstract queueCopy(parts: readonly Uint8Array[]): number
  /** Whether {@link queueSlot} would accept one more send of `byteLength` bytes. */
  protected abstract hasCapacityFor(byteLength: number): boolean
  /** Queues part of a buffer. The driver owns the slot and frees it once. Called only if {@link hasCapacityFor} said yes. */
  protected abstract queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void
  /** The number of accepted sends that were not reported by {@link completeSends} yet. */
  protected abstract readonly sendsUnderWay: number
  /** Sends the end after everything queued. The driver calls {@link onEndTaken} when the wire took it. Called once. */
  protected abstract sayEnd(): void
  /** Drops chunks that were received and not polled, and all further input. Called once, also when closed. */
  protected abstract discardInput(): void
  /** Whether chunks were received that `pollRecv` did not hand out yet. Also read when closed. */
  protected abstract readonly hasUnpolled: boolean
  /** Closes the wire at once, as an error for the peer if the wire supports that. Called once, when closed. */
  protected abstract cut(error: NettsError): void
  /** Closes the wire after a clean end or a failure. Called once, when closed, unless {@link cut} was called. */
  protected abstract release(): void
  /** Frees the slots and memory of queued sends, which are not sent any more. Called once, when closed. */
  protected abstract dropQueued(): void
  abstract pollRecv(out: RecvCompletion[]): number
  abstract recvBuf(chunkIndex: number): Uint8Array
  abstract repostRecv(chunkIndex: number): void
  abstract ref(): void
  abstract unref(): void

  // What a driver reports.

  /** Something changed: the waker is called soon. */
  protected wake(): void {
    this.#waker.wake()
  }

  /** Something changed: calls the waker at once. Use it only as the last action in a callback of the event loop. */
  protected wakeNow(): void {
    this.#waker.wakeNow()
  }

  /** Reports that `count` sends completed. @returns whether the driver must call {@link wake} */
  protected completeSends(count: number): boolean {
    this.#completed += count
    if (!this.#awaitsCompletion) return false
    this.#awaitsCompletion = false
    return true
  }

  /** Reports that the peer finished, and that all its bytes were received. The waker is called soon. */
  protected onPeerEnd(): void {
    if (this.#hasPeerEnded) return
    this.#hasPeerEnded = true
    if (this.#state === 'closed') this.#endLinger()
    else if (!this.#closeIfOver()) this.#waker.wake()
  }

  /** Reports that the wire took everything queued, and the end after it. */
  protected onEndTaken(): void {
    this.#isEndTaken = true
    if (this.#state !== 'closed') this.#closeIfOver()
  }

  /**
   * Reports that the wire failed or closed. Pass `undefined` if it had ended in both directions before. After a clean end
   * this only ends the wait for the peer.
   */
  protected onFailure(error: NettsError | undefined): void {
    if (this.#state === 'closed') {
      this.#endLinger()
    } else {
      this.#close(error)
      this.release()
    }
  }

  /** Reports an exception in a callback of the event loop. It ends this transport; others are not affected. */
  protected onThrow(error: unknown): void {
    if (this.#state === 'closed') {
      // The transport keeps its own error, and no operation is left that could report this one.
      process.emitWarning(threw(error, this.remoteAddress))
    }
    this.destroy(threw(error, this.remoteAddress))
  }

  /** Whether `finish`, `disconnect` or `destroy` was called. */
  protected get saidEnd(): boolean {
    return this.#saidEnd
  }

  // The contract.

  get localAddress(): A {
    return this.#ends.localAddress
  }

  get remoteAddress(): A {
    return this.#ends.remoteAddress
  }

  get state(): TransportState {
    return this.#state
  }

  get error(): NettsError | undefined {
    return this.#error
  }

  get waker(): (() => void) | undefined {
    return this.#waker.callback
  }

  set waker(callback: (() => void) | undefined) {
    this.#waker.callback = callback
  }

  sendCopy(data: Uint8Array): number {
    const bytes = toBytes(data)
    if (bytes === undefined) throw notBytes('data', data, 'sendCopy')
    if (bytes.length === 0) throw invalidArgument('data is empty', 'sendCopy')
    onePart[0] = bytes
    return this.#copy(onePart, 'sendCopy')
  }

  sendGather(parts: readonly Uint8Array[]): number {
    if (!Array.isArray(parts)) throw invalidArgument('parts must be an array', 'sendGather')
    let isEmpty = true
    let own: Uint8Array[] | undefined
    for (let i = 0; i < parts.length; i++) {
      const bytes = toBytes(parts[i])
      if (bytes === undefined) throw notBytes(`parts[${i}]`, parts[i], 'sendGather')
      if (bytes.length > 0) isEmpty = false
      if (bytes !== parts[i]) own ??= [...parts]
      if (own) own[i] = bytes
    }
    if (isEmpty) throw invalidArgument('every part is empty', 'sendGather')
    return this.#copy(own ?? parts, 'sendGather')
  }

  sendBuffer(buffer: PooledBuffer, byteOffset = 0, byteLength?: number): boolean {
    const length = checkSendRange(buffer, this.bufferPool.domain, this.maxSendSize, byteOffset, byteLength)
    if (!this.#maySend('sendBuffer') || !this.hasCapacityFor(length)) {
      this.#awaitsCompletion = true
      return false
    }
    this.queueSlot(takeSlot(buffer), byteOffset, length)
    return true
  }

  pollSendCompletion(): number {
    const completed = this.#completed
    this.#completed = 0
    if (completed === 0) this.#awaitsCompletion = true
    return completed
  }

  unacknowledgedBytes(): number | Promise<number> {
    return this.queuedBytes
  }

  get sendsInFlight(): number {
    return this.#state === 'closed' ? 0 : this.sendsUnderWay + this.#completed
  }

  get recvEnded(): boolean {
    return this.#hasPeerEnded && !this.hasUnpolled
  }

  pollDisconnect(): boolean {
    return this.#state === 'closed'
  }

  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'finished'
    this.#saidEnd = true
    this.sayEnd()
  }

  disconnect(options: DisconnectOptions = {}): void {
    const { timeoutMs = DEFAULT_DISCONNECT_TIMEOUT_MS } = checkOptionNames('options', options, ['timeoutMs'])
    checkTimeout('timeoutMs', timeoutMs)
    const state = this.#state
    this.#saidEnd = true
    if (state === 'open' || state === 'finished') {
      this.#state = 'disconnecting'
      this.#disconnectTimeoutMs = timeoutMs
    }
    this.#discardInput()
    if (state === 'open') this.sayEnd()
    if (state === 'finished') this.#closeIfOver()
    if (this.state === 'disconnecting') this.#watchDisconnect()
  }

  destroy(error?: NettsError): void {
    this.#saidEnd = true
    const isOver = this.#state === 'closed'
    const reason = error ?? new NettsError('ERR_NETTS_DESTROYED', 'the transport was destroyed')
    if (!isOver) this.#close(reason)
    this.#discardInput()
    if (isOver) this.#endLinger()
    else this.cut(reason)
  }

  /** @returns whether sending is possible; `false` after a failure */
  #maySend(operation: string): boolean {
    if (this.#saidEnd) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', `${operation} after finish, disconnect or destroy`, {
        operation,
      })
    }
    return this.#state === 'open'
  }

  #copy(parts: readonly Uint8Array[], operation: string): number {
    const accepted = this.#maySend(operation) ? this.queueCopy(parts) : 0
    onePart[0] = NO_BYTES
    if (accepted === 0) this.#awaitsCompletion = true
    return accepted
  }

  #closeIfOver(): boolean {
    const isDisconnecting = this.#state === 'disconnecting'
    if (!this.#isEndTaken || !(isDisconnecting || this.#hasPeerEnded)) return false
    this.#close(undefined)
    if (this.#hasPeerEnded) this.release()
    else this.#startLinger()
    return true
  }

  #watchDisconnect(): void {
    this.#deadline ??= new StallDeadline({
      clock: this.clock,
      timeoutMs: this.#disconnectTimeoutMs,
      progress: () => this.unacknowledgedBytes(),
      baseline: () => this.queuedBytes,
      onStalled: () => this.#giveUp(),
    })
    this.#deadline.start()
  }

  #giveUp(): void {
    const error = timedOut('disconnect', this.#disconnectTimeoutMs, this.remoteAddress)
    this.#close(error)
    this.cut(error)
  }

  #close(error: NettsError | undefined): void {
    this.#state = 'closed'
    this.#error = error
    this.#deadline?.stop()
    this.#deadline = undefined
    this.dropQueued()
    this.#waker.wake()
  }

  #discardInput(): void {
    if (this.#isInputDiscarded) return
    this.#isInputDiscarded = true
    this.discardInput()
  }

  #startLinger(): void {
    this.#isLingering = true
    if (this.#disconnectTimeoutMs === 0) return
    this.#linger = this.clock.setTimer(() => this.#endLinger(), this.#disconnectTimeoutMs)
  }

  #endLinger(): void {
    if (!this.#isLingering) return
    this.#isLingering = false
    this.#linger?.close()
    this.#linger = undefined
    this.release()
  }
}

function notBytes(name: string, value: unknown, operation: string): NettsError {
  return invalidArgument(`${name} must be a Uint8Array, not ${show(value)}`, operation)
}
