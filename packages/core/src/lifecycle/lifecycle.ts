/**
 * The lifecycle of a layer on a transport, such as messages or a stream of bytes: the waker, exceptions, the half-close, the
 * graceful close and its deadline, stalls, failures, and the peer's end.
 */
import { NettsError, threw } from '../errors.js'
import { backgroundClock, clock, nextTick } from '../runtime/event-loop.js'
import { StallDeadline } from '../runtime/stall-deadline.js'
import type { Transport } from '../transport.js'

/**
 * The state of a {@link Lifecycle}. It only moves down this list:
 *
 * - `open`: both directions work;
 * - `finishing`: `finish` was called; accepted data is handed to the transport, and then the transport's `finish` is called;
 * - `finished`: the transport's `finish` was called; receiving continues;
 * - `closing`: `close` was called; accepted data is handed to the transport, input is discarded, and then the transport's
 *   `disconnect` is called;
 * - `disconnecting`: the transport delivers what it has accepted;
 * - `closed`.
 */
export type LifecycleState = 'open' | 'finishing' | 'finished' | 'closing' | 'disconnecting' | 'closed'

/** The layer on a transport, as {@link Lifecycle} calls it. An exception in one of these methods ends this connection only. */
export interface LifecycleUser {
  /** The transport may accept more data, or has completed sends: hand over the data that waits. */
  pump(): void
  /** Whether the transport has all data that this layer has accepted. */
  readonly isDrained: boolean
  /** How many bytes the transport has accepted. */
  readonly postedBytes: number
  /** Input may have arrived: poll it. May call {@link Lifecycle.fail}. */
  receive(): void
  /** Polls all input that has arrived, however much, and leaves no chunk in the transport. */
  receiveRest(): void
  /** Polls all input and releases it at once. */
  discardInput(): void
  /** The transport is closed: settle everything that waits. Called once. `error` is `undefined` after a clean end. */
  onClosed(error: NettsError | undefined): void
}

/** Deadlines of a {@link Lifecycle}. */
export interface LifecycleOptions {
  /**
   * How long closing continues without progress, and how long the transport then waits for the peer's end, in milliseconds;
   * 0 disables the deadlines.
   */
  readonly closeTimeoutMs: number
  /** How long the peer may take none of the bytes to be sent, in milliseconds; 0 disables the deadline. */
  readonly stallTimeoutMs: number
}

/**
 * The lifecycle of one connection or stream on a transport: it takes the transport's waker, and calls its
 * {@link LifecycleUser}. Call {@link start} once, when the user is complete.
 */
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

  /**
   * @param transport the transport; it belongs to the lifecycle from here on
   * @param user the layer on it; none of its methods is called before {@link start}
   */
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

  /** The state: see {@link LifecycleState}. */
  get state(): LifecycleState {
    return this.#state
  }

  /** The error that ended it; `undefined` while it is not closed, and after a clean end. */
  get error(): NettsError | undefined {
    return this.#error
  }

  /** Resolves when the peer has finished and all its bytes were polled, or when closed. Never rejects. */
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

  /** Takes the transport's waker, and looks at the transport soon. Call it once. */
  start(): void {
    this.guard(() => {
      this.#transport.waker = () => this.wake()
      this.scheduleWake()
    })
  }

  /** Half-close, after all accepted data: see `Connection.finish`. */
  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'finishing'
    this.guard(() => this.#pump())
  }

  /**
   * Closes gracefully: see `Connection.close`. {@link closed} resolves when it is done.
   * @param onClosing called in the state `closing`, before accepted data is handed to the transport
   */
  close(onClosing: () => void): void {
    if (this.#state !== 'open' && this.#state !== 'finishing' && this.#state !== 'finished') return
    this.guard(() => {
      this.#user.receiveRest()
      // The last input may have failed the connection.
      if (this.#state === 'closed') return
      this.#state = 'closing'
      onClosing()
      this.#pump()
      if ((this.#state as LifecycleState) === 'closing') this.#watchClose()
    })
  }

  /** Ends it at once with an error. After a graceful close it ends the wait for the peer's end. */
  destroy(error: NettsError): void {
    if (this.#state === 'closed') this.#destroyTransport(error)
    else this.fail(error)
  }

  /** Ends it with an error. Input that arrived before is polled first. The first error counts. */
  fail(error: NettsError): void {
    if (this.#state === 'closed') return
    if (this.#state !== 'closing' && this.#state !== 'disconnecting') this.#receiveRest()
    // The last input may have failed it already.
    if ((this.#state as LifecycleState) === 'closed') return
    // The state first: whatever `destroy` leads to finds it closed.
    this.#state = 'closed'
    this.#destroyTransport(error)
    this.#onClosed(error)
  }

  /** Runs an action. If that throws, the connection fails. */
  guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.onThrow(error)
    }
  }

  /**
   * The transport, the user or a callback threw: fails the connection with `ERR_NETTS_INTERNAL`, or with the NettsError that
   * was thrown. @returns the error that the connection ended with
   */
  onThrow(error: unknown): NettsError {
    const reason = threw(error, this.#transport.remoteAddress)
    this.fail(reason)
    return this.#error ?? reason
  }

  /** Calls {@link wake} in the next tick, for changes that the transport's waker does not report. */
  scheduleWake(): void {
    if (this.#isWakeScheduled) return
    this.#isWakeScheduled = true
    nextTick(Lifecycle.#onWakeTick, this)
  }

  /** Calls {@link LifecycleUser.pump} in the next tick, after the program of this turn has run. */
  schedulePump(): void {
    if (this.#isPumpScheduled) return
    this.#isPumpScheduled = true
    nextTick(Lifecycle.#onPumpTick, this)
  }

  /** Starts the stall deadline if data waits for the peer. Call it after data was handed to the transport. */
  watchStall(): void {
    if (this.#stall && this.#hasUnsent) this.#stall.start()
  }

  /** Call it before waiting for the waker: a transport that is closed already does not call it any more. */
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

  /** Looks at everything: sending, receiving, and the end. The transport's waker calls it. */
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

  /** Hands over the data that waits; when the transport has all of it, calls its `finish` or `disconnect`. */
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
    // That may have closed the transport.
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

  /** Starts the deadline of closing, because accepted data is not handed over yet. */
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

  /** How many bytes the wire has taken, as far as is visible. It grows with any progress. */
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
      // The driver throws while the connection fails: the first error counts.
    }
  }

  #dropWaker(): void {
    try {
      this.#transport.waker = undefined
    } catch {
      // As above. If it calls the waker later, that finds this closed.
    }
  }

  #destroyTransport(error: NettsError): void {
    try {
      this.#transport.destroy(error)
    } catch {
      // As above: nothing is left that could be ended.
    }
  }

  #stalledError(operation: string, timeoutMs: number): NettsError {
    return new NettsError(
      'ERR_NETTS_TIMEOUT',
      `the peer took none of the bytes to be sent for ${timeoutMs} ms; the rest is lost`,
      { operation, address: this.#transport.remoteAddress },
    )
  }
}
