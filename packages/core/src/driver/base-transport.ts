/**
 * What every transport does alike: checks of arguments, the states and their order, completions, the waker and its
 * error boundary, the deadline of `disconnect`, and the wait for the peer's end behind it.
 *
 * A driver extends it and states what its wire does. It tells this class what happened by the protected methods
 * {@link BaseTransport.completeSends}, {@link BaseTransport.onPeerEnd}, {@link BaseTransport.onEndTaken} and
 * {@link BaseTransport.onFailure}, and is told what to do by the abstract ones.
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

// One for all transports, as drivers copy before they return.
const onePart: Uint8Array[] = [NO_BYTES]

/** The addresses at both ends of a connection. */
export interface TransportEnds<A extends Address = Address> {
  readonly localAddress: A
  readonly remoteAddress: A
}

/**
 * A {@link Transport} without a wire.
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
  /** Where the deadline of `disconnect` gets its time from. Its timers keep the process alive. */
  protected readonly clock: Clock
  readonly #waker = new Waker((error) => this.onThrow(error))
  #state: TransportState = 'open'
  #error: NettsError | undefined
  /** This side said finish, disconnect or destroy: sending is misuse from then on. */
  #saidEnd = false
  #isEndTaken = false
  #hasPeerEnded = false
  #isInputDiscarded = false
  #completed = 0
  /** A send was refused, or a poll for completions was empty: the waker tells of the next one. */
  #awaitsCompletion = false
  #disconnectTimeoutMs = DEFAULT_DISCONNECT_TIMEOUT_MS
  #deadline: StallDeadline | undefined
  /** Closed, and the wire is kept for the peer's end. */
  #isLingering = false
  #linger: ClockTimer | undefined

  readonly #ends: TransportEnds<A>

  /**
   * @param ends asked for the addresses whenever somebody wants to know them
   * @param time where deadlines get their time from. @default this machine's
   */
  protected constructor(ends: TransportEnds<A>, time: Clock = clock) {
    this.#ends = ends
    this.clock = time
  }

  // What a driver states. None of these is called on a closed transport, unless it says so.

  /**
   * Copies and queues up to {@link maxSendSize} bytes of the parts, which are not all empty.
   * @returns how many; 0 when there is no capacity
   */
  protected abstract queueCopy(parts: readonly Uint8Array[]): number
  /** Whether {@link queueSlot} would take so many bytes as one more send. */
  protected abstract hasCapacityFor(byteLength: number): boolean
  /** Queues part of a buffer, and owns its slot from then on: it frees it once. Only with {@link hasCapacityFor}. */
  protected abstract queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void
  /** Accepted sends that were not told to {@link completeSends} yet. */
  protected abstract readonly sendsUnderWay: number
  /** Says the end behind everything queued. {@link onEndTaken} follows. Called once. */
  protected abstract sayEnd(): void
  /** Drops what was received and not polled, and from here on whatever arrives. Called once, also when closed. */
  protected abstract discardInput(): void
  /** Whether something was received that `pollRecv` did not hand out yet. May be asked when closed. */
  protected abstract readonly hasUnpolled: boolean
  /** Closes the wire at once; the peer learns it as an error where that can be said. Called when closed, once. */
  protected abstract cut(error: NettsError): void
  /** Closes the wire: nothing is left to be said. Called when closed, once, unless {@link cut} was. */
  protected abstract release(): void
  /** Gives back what was queued and can't leave any more: slots, and own memory. Called when closed, once. */
  protected abstract dropQueued(): void
  abstract pollRecv(out: RecvCompletion[]): number
  abstract recvBuf(chunkIndex: number): Uint8Array
  abstract repostRecv(chunkIndex: number): void
  abstract ref(): void
  abstract unref(): void

  // What a driver tells.

  /** Calls the waker soon: something changed. */
  protected wake(): void {
    this.#waker.wake()
  }

  /** Calls the waker at once: the last thing in a callback of the event loop. */
  protected wakeNow(): void {
    this.#waker.wakeNow()
  }

  /** So many sends completed. @returns whether that is news: then the waker is to be called */
  protected completeSends(count: number): boolean {
    this.#completed += count
    if (!this.#awaitsCompletion) return false
    this.#awaitsCompletion = false
    return true
  }

  /** The peer finished: whatever it sent before was received. The waker is called soon. */
  protected onPeerEnd(): void {
    if (this.#hasPeerEnded) return
    this.#hasPeerEnded = true
    if (this.#state === 'closed') this.#endLinger()
    else if (!this.#closeIfOver()) this.#waker.wake()
  }

  /** The wire took everything queued, and the end behind it. */
  protected onEndTaken(): void {
    this.#isEndTaken = true
    if (this.#state !== 'closed') this.#closeIfOver()
  }

  /**
   * The wire failed, or is gone; without an error it had ended both ways before. Behind a clean end it only means that
   * nobody has to be waited for any more.
   */
  protected onFailure(error: NettsError | undefined): void {
    if (this.#state === 'closed') {
      this.#endLinger()
    } else {
      this.#close(error)
      this.release()
    }
  }

  /** Something threw in a callback of the event loop: it ends this transport and nothing else. */
  protected onThrow(error: unknown): void {
    if (this.#state === 'closed') {
      // Its own error stands, and there is no operation left that could report this one.
      process.emitWarning(threw(error, this.remoteAddress))
    }
    this.destroy(threw(error, this.remoteAddress))
  }

  /** Whether this side asked for the end. */
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

  /** @returns whether sending makes sense; not so after a failure */
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
