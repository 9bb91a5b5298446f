/** The transport of a stream: its lifecycle, with one half that sends and one half that receives. */
import { NettsError, type Transport } from '@netts/core'
import { type ClockTimer, clock } from '@netts/core/driver'
import { Lifecycle, type LifecycleOptions, type LifecycleUser, takeTurn } from '@netts/core/lifecycle'
import { Incoming } from './incoming.js'
import { type Done, Outgoing } from './outgoing.js'
import { runProgram } from './program.js'

/** What a wire calls in its stream. An exception there comes from the program, and is uncaught, as with `node:net`. */
export interface WireOwner {
  /** Bytes arrived. @returns whether more are wanted */
  onBytes(bytes: Buffer): boolean
  /** The peer has ended, and all of its bytes were handed over. */
  onPeerEnd(): void
  /** Bytes were sent or received. */
  onActivity(): void
  /** The transport is closed: nothing is received or sent any more. Called once. */
  onClosed(error: NettsError | undefined): void
}

/** The transport of one stream. */
export class Wire implements LifecycleUser {
  readonly #transport: Transport
  readonly #owner: WireOwner
  readonly #life: Lifecycle
  readonly #outgoing: Outgoing
  readonly #incoming: Incoming
  #isWanted = false
  #isTaking = false
  #hasEnded = false
  #isDiscarding = false
  #nextTurn: ClockTimer | undefined

  constructor(transport: Transport, owner: WireOwner, options: LifecycleOptions) {
    this.#transport = transport
    this.#owner = owner
    this.#life = new Lifecycle(transport, this, options)
    this.#outgoing = new Outgoing(transport)
    this.#incoming = new Incoming(transport)
    this.#life.start()
  }

  get bytesRead(): number {
    return this.#incoming.bytes
  }

  /** How many bytes the transport has accepted. */
  get bytesAccepted(): number {
    return this.#outgoing.postedBytes
  }

  /** How many bytes were in writes that are done. */
  get bytesWritten(): number {
    return this.#outgoing.postedBytes - this.#outgoing.begunBytes
  }

  /** How many bytes the transport has accepted and the wire has not taken. */
  get queuedBytes(): number {
    let queuedBytes = 0
    this.#life.guard(() => {
      queuedBytes = this.#transport.queuedBytes
    })
    return queuedBytes
  }

  /** Whether the peer has ended, and all of its bytes were handed over. */
  get hasPeerEnded(): boolean {
    return this.#hasEnded
  }

  get isClosed(): boolean {
    return this.#life.state === 'closed'
  }

  /** Resolves when closed: to the error that ended it, or `undefined` after a clean end. */
  get closed(): Promise<NettsError | undefined> {
    return this.#life.closed
  }

  /** Sends the parts; one write at a time. Empty parts are skipped. */
  write(parts: Uint8Array[], done: Done): void {
    const filled = parts.filter(({ length }) => length > 0)
    if (this.isClosed) done(this.#closedError())
    else if (filled.length === 0) done(null)
    else {
      this.#outgoing.begin(filled, done)
      this.#life.guard(() => {
        this.#outgoing.pump()
        this.#life.watchStall()
        this.#owner.onActivity()
      })
    }
  }

  /** Ends this side after everything written. Calls back when the wire has taken all of it. */
  finish(done: Done): void {
    if (this.isClosed) {
      done(this.#life.error ?? null)
      return
    }
    this.#life.finish()
    this.#life.guard(() => this.#outgoing.flush(done))
  }

  /** More bytes are wanted. */
  read(): void {
    this.#isWanted = true
    this.#life.guard(() => {
      this.#takeIn()
      if (this.#isWanted) this.#life.checkClosed()
    })
  }

  /** Closes gracefully: the transport delivers what it has accepted and then the end; input is discarded. */
  close(): void {
    this.#isDiscarding = true
    this.#life.close(() => {})
  }

  /** Closes at once. The peer sees an error if the transport supports resets. */
  reset(cause: unknown): void {
    this.#isDiscarding = true
    const address = this.#transport.remoteAddress
    this.#life.destroy(
      new NettsError('ERR_NETTS_DESTROYED', 'the stream was destroyed', {
        cause,
        operation: 'destroy',
        address,
      }),
    )
  }

  // For the lifecycle.

  pump(): void {
    const { postedBytes } = this.#outgoing
    this.#outgoing.pump()
    if (this.#outgoing.postedBytes > postedBytes) this.#owner.onActivity()
  }

  get isDrained(): boolean {
    return this.#outgoing.isIdle
  }

  get postedBytes(): number {
    return this.#outgoing.postedBytes
  }

  receive(): void {
    this.#takeIn()
  }

  receiveRest(): void {
    if (this.#isDiscarding) {
      this.discardInput()
      return
    }
    for (let bytes = this.#incoming.take(); bytes; bytes = this.#incoming.take()) this.#handOver(bytes)
    this.#endIfEnded()
  }

  discardInput(): void {
    this.#incoming.discard()
  }

  onClosed(error: NettsError | undefined): void {
    this.#nextTurn?.close()
    const reason = error ?? (this.#outgoing.isIdle ? undefined : this.#closedError())
    // The owner first: received bytes are delivered before the error of a write.
    runProgram(() => this.#owner.onClosed(error))
    this.#outgoing.stop(reason)
  }

  /** Receives while more is wanted, until other work of the event loop is due. */
  #takeIn(): void {
    // `onBytes` may lead to another call.
    if (this.#isTaking) return
    this.#isTaking = true
    try {
      while (this.#isWanted && !this.#hasEnded) {
        if (!takeTurn()) {
          this.#goOnNextTurn()
          return
        }
        const bytes = this.#incoming.take()
        if (!bytes) {
          this.#endIfEnded()
          return
        }
        this.#isWanted = false
        if (this.#handOver(bytes)) this.#isWanted = true
      }
    } finally {
      this.#isTaking = false
    }
  }

  #goOnNextTurn(): void {
    this.#nextTurn ??= clock.setImmediate(() => {
      this.#nextTurn = undefined
      this.#life.guard(() => this.#takeIn())
      this.#life.scheduleWake()
    })
  }

  /** @returns whether more is wanted; `true` if the program threw */
  #handOver(bytes: Buffer): boolean {
    let isWanted = true
    runProgram(() => {
      this.#owner.onActivity()
      isWanted = this.#owner.onBytes(bytes)
    })
    return isWanted
  }

  #endIfEnded(): void {
    if (this.#hasEnded || !this.#transport.recvEnded) return
    this.#hasEnded = true
    runProgram(() => this.#owner.onPeerEnd())
  }

  #closedError(): NettsError {
    const { error } = this.#life
    return (
      error ??
      new NettsError('ERR_NETTS_CLOSED', 'the connection is closed', {
        operation: 'write',
        address: this.#transport.remoteAddress,
      })
    )
  }
}
