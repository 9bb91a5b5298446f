/**
 * The life of whatever stands on a transport, be it messages or a stream of bytes: the one waker and its error
 * boundary, the half-close, the graceful close and its deadline, stalls, failing, and the peer's end.
 */
import { NettsError, threw } from '../errors.js'
import { backgroundClock, clock, nextTick } from '../runtime/event-loop.js'
import { StallDeadline } from '../runtime/stall-deadline.js'
import type { Transport } from '../transport.js'

/**
 * The states of a life. Transitions only go down this list:
 *
 * - `open`: both directions work;
 * - `finishing`: nothing new is accepted; what waits still goes, and then the transport's half-close;
 * - `finished`: the half-close was said; receiving goes on;
 * - `closing`: what was accepted still goes, input is discarded, and then the transport disconnects;
 * - `disconnecting`: the transport is delivering what it accepted;
 * - `closed`.
 */
export type LifecycleState = 'open' | 'finishing' | 'finished' | 'closing' | 'disconnecting' | 'closed'

/** What stands on the transport. What one of these throws ends this connection, and nothing else. */
export interface LifecycleUser {
  /** The transport may take more, or have completed something: hand over what waits. */
  pump(): void
  /** Whether the transport has everything that was accepted. */
  readonly isDrained: boolean
  /** Bytes that the transport accepted, ever. */
  readonly postedBytes: number
  /** Input may be there: take it in. May call {@link Lifecycle.fail}. */
  receive(): void
  /** Takes in all the input that is there, however much, and leaves no chunk in the transport. */
  receiveRest(): void
  /** Throws input away. */
  discardInput(): void
  /** It is over: settle everything. Called once. */
  onClosed(error: NettsError | undefined): void
}

/** Deadlines of a life. */
export interface LifecycleOptions {
  /** How long closing goes on without progress; 0 for ever. */
  readonly closeTimeoutMs: number
  /** How long the peer may take nothing of what is to be sent; 0 for ever. */
  readonly stallTimeoutMs: number
}

/** The life of one connection or stream on a transport. */
export class Lifecycle {
  /** Resolves when closed: to the error that ended it, or `undefined` after a clean end. */
  readonly closed: Promise<NettsError | undefined>
  readonly #transport: Transport
  readonly #user: LifecycleUser
  readonly #closeTimeoutMs: number
  readonly #stall: StallDeadline | undefined
  #close: StallDeadline | undefined
  #state: LifecycleState = 'open'
  #error: NettsError | undefined
  #resolveClosed!: (error: NettsError | undefined) => void
  #hasPeerEnded = false
  #peerEnded: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined
  #isWakeScheduled = false
  #isPumpScheduled = false

  constructor(
    transport: Transport,
    user: LifecycleUser,
    { closeTimeoutMs, stallTimeoutMs }: LifecycleOptions,
  ) {
    this.#transport = transport
    this.#user = user
    this.#closeTimeoutMs = closeTimeoutMs
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    if (stallTimeoutMs > 0) {
      this.#stall = new StallDeadline({
        clock: backgroundClock,
        timeoutMs: stallTimeoutMs,
        progress: () => (this.#hasUnsent ? this.#takenBytes() : undefined),
        baseline: () => this.#user.postedBytes - this.#transport.queuedBytes,
        onStalled: () => this.fail(this.#stalledError('send', stallTimeoutMs)),
      })
    }
  }

  get state(): LifecycleState {
    return this.#state
  }

  /** What ended it; `undefined` before, and after a clean end. */
  get error(): NettsError | undefined {
    return this.#error
  }

  /** Resolves when the peer has finished and everything from it was taken in, and when it is closed. */
  get peerEnded(): Promise<void> {
    if (!this.#peerEnded) {
      let resolve!: () => void
      const promise = new Promise<void>((settle) => {
        resolve = settle
      })
      this.#peerEnded = { promise, resolve }
      if (this.#hasPeerEnded) resolve()
    }
    return this.#peerEnded.promise
  }

  /** Takes the transport's waker, once its user is complete. */
  start(): void {
    this.guard(() => {
      this.#transport.waker = () => this.wake()
      this.scheduleWake()
    })
  }

  /** Half-close: see `Connection.finish`. */
  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'finishing'
    this.guard(() => this.#pump())
  }

  /** Begins the graceful close. @param onClosing called in state `closing`, before what was accepted goes on */
  close(onClosing: () => void): void {
    if (this.#state !== 'open' && this.#state !== 'finishing' && this.#state !== 'finished') return
    this.guard(() => {
      this.#user.receiveRest()
      // What came last may have been a lie.
      if (this.#state === 'closed') return
      this.#state = 'closing'
      onClosing()
      this.#pump()
      if ((this.#state as LifecycleState) === 'closing') this.#watchClose()
    })
  }

  /** Ends it at once, and also what still goes on behind a graceful close. */
  destroy(error: NettsError): void {
    if (this.#state === 'closed') this.#destroyTransport(error)
    else this.fail(error)
  }

  /** Ends it because of an error. What had arrived before can still be taken. The first error stands. */
  fail(error: NettsError): void {
    if (this.#state === 'closed') return
    if (this.#state !== 'closing' && this.#state !== 'disconnecting') this.#receiveRest()
    // What came last may have failed it already.
    if ((this.#state as LifecycleState) === 'closed') return
    // Its state first: what destroying leads to finds it closed.
    this.#state = 'closed'
    this.#destroyTransport(error)
    this.#onClosed(error)
  }

  /** Runs what may throw: then that ends this. */
  guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.onThrow(error)
    }
  }

  /** The transport threw, or what stands on it. @returns the error that this ended with */
  onThrow(error: unknown): NettsError {
    const reason = threw(error, this.#transport.remoteAddress)
    this.fail(reason)
    return this.#error ?? reason
  }

  /** Looks at everything soon: for changes that no waker announces. */
  scheduleWake(): void {
    if (this.#isWakeScheduled) return
    this.#isWakeScheduled = true
    nextTick(Lifecycle.#onWakeTick, this)
  }

  /** Hands over what waits when the present turn's program has run. */
  schedulePump(): void {
    if (this.#isPumpScheduled) return
    this.#isPumpScheduled = true
    nextTick(Lifecycle.#onPumpTick, this)
  }

  /** Something may wait for the peer now: then it has to go on. */
  watchStall(): void {
    if (this.#stall && this.#hasUnsent) this.#stall.start()
  }

  /** Before waiting for the waker: it announces changes only, and a closed transport changes no more. */
  checkClosed(): void {
    if (this.#state !== 'closed' && this.#transport.pollDisconnect()) this.scheduleWake()
  }

  static #onWakeTick(this: void, life: Lifecycle): void {
    life.#isWakeScheduled = false
    life.wake()
  }

  static #onPumpTick(this: void, life: Lifecycle): void {
    life.#isPumpScheduled = false
    if (life.#state === 'closed') return
    try {
      life.#pump()
    } catch (error) {
      life.onThrow(error)
    }
  }

  /** What the transport's waker calls: anything may have changed. */
  wake(): void {
    if (this.#state === 'closed') return
    try {
      this.#pump()
      const isClosing = this.#state === 'closing' || this.#state === 'disconnecting'
      if (isClosing) this.#user.discardInput()
      else if ((this.#state as LifecycleState) !== 'closed') this.#user.receive()
      if ((this.#state as LifecycleState) === 'closed') return
      if (!this.#hasPeerEnded && this.#transport.recvEnded) this.#onPeerEnd()
      if (this.#transport.pollDisconnect()) this.#onTransportClosed()
    } catch (error) {
      this.onThrow(error)
    }
  }

  /** Hands over what waits; then the half-close, or the disconnect, once all of it is out. */
  #pump(): void {
    this.#user.pump()
    this.watchStall()
    if (this.#state === 'open' || !this.#user.isDrained) return
    if (this.#state === 'finishing') {
      this.#state = 'finished'
      this.#transport.finish()
    } else if (this.#state === 'closing') {
      this.#state = 'disconnecting'
      this.#close?.stop()
      this.#transport.disconnect({ timeoutMs: this.#closeTimeoutMs })
    } else {
      return
    }
    // It may be closed by that.
    this.scheduleWake()
  }

  #onTransportClosed(): void {
    const { error } = this.#transport
    const isClosing = this.#state === 'closing' || this.#state === 'disconnecting'
    if (!isClosing) this.#user.receiveRest()
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#onClosed(error)
  }

  #onClosed(error: NettsError | undefined): void {
    this.#error = error
    this.#dropWaker()
    this.#close?.stop()
    this.#stall?.stop()
    this.#onPeerEnd()
    try {
      this.#user.onClosed(error)
    } finally {
      this.#resolveClosed(error)
    }
  }

  #onPeerEnd(): void {
    this.#hasPeerEnded = true
    this.#peerEnded?.resolve()
  }

  /** What was accepted has not all gone yet. */
  #watchClose(): void {
    this.#close = new StallDeadline({
      clock,
      timeoutMs: this.#closeTimeoutMs,
      progress: () => this.#takenBytes(),
      baseline: () => this.#user.postedBytes - this.#transport.queuedBytes,
      onStalled: () => this.fail(this.#stalledError('close', this.#closeTimeoutMs)),
    })
    this.#close.start()
  }

  get #hasUnsent(): boolean {
    return !this.#user.isDrained || this.#transport.queuedBytes > 0
  }

  /** What the wire took, ever, as far as can be seen: it grows with any progress. */
  #takenBytes(): number | Promise<number> {
    const { postedBytes } = this.#user
    const waiting = this.#transport.unacknowledgedBytes()
    return typeof waiting === 'number'
      ? postedBytes - waiting
      : waiting.then((looked) => postedBytes - looked)
  }

  #receiveRest(): void {
    try {
      this.#user.receiveRest()
    } catch {
      // A driver that fails while it is being failed: the first error stands.
    }
  }

  #dropWaker(): void {
    try {
      this.#transport.waker = undefined
    } catch {
      // As above; what it wakes finds this closed.
    }
  }

  #destroyTransport(error: NettsError): void {
    try {
      this.#transport.destroy(error)
    } catch {
      // As above: there is nothing left that could be ended.
    }
  }

  #stalledError(operation: string, timeoutMs: number): NettsError {
    return new NettsError(
      'ERR_NETTS_TIMEOUT',
      `the peer took none of what was sent for ${timeoutMs} ms; the rest of it is lost`,
      { operation, address: this.#transport.remoteAddress },
    )
  }
}
