/**
 * What all transports over an endpoint have in common. To the program it is a transport, and what all transports have
 * in common is in `BaseTransport`; to the endpoint it is the session. This class connects the two: it has the state of
 * the protocol, the flush and the end, and handles control frames. A driver extends it with what its data needs: how a
 * send is staged, how a received frame is read, and which memory it takes.
 */
import { type HostAddress, NettsError, type TransportCapabilities } from '@netts/core'
import { BaseTransport } from '@netts/core/driver'
import type { Endpoint, EndpointSession } from '../endpoint/endpoint-session.js'
import { kindOf, slotOf } from '../endpoint/work-request-id.js'
import { COMPLETION, CompletionStatus } from '../verbs/layout.js'
import { Ending } from './ending.js'
import { brokenProtocol, resetByPeer } from './errors.js'
import { Flush } from './flush.js'
import { FrameKind, ResetReason } from './protocol/frame.js'
import type { LifeState } from './protocol/lifecycle.js'
import type { ProtocolEnd } from './protocol/protocol-end.js'
import type { ReceiveSide, SendSide } from './sides.js'
import { WorkKind } from './work-kinds.js'

const CAPABILITIES: TransportCapabilities = Object.freeze({ detectsPeerCrash: true, reset: true })

/**
 * The base class of a driver's transport: a {@link BaseTransport} that is the {@link EndpointSession} of its endpoint.
 * A driver implements the abstract members, and calls the others as events and sends need them.
 */
export abstract class RdmaTransport<P extends ProtocolEnd>
  extends BaseTransport<HostAddress>
  implements EndpointSession
{
  /** The connection. The transport posts to its queue pair. */
  protected readonly endpoint: Endpoint
  /** The protocol's state, from the peer's hello on. */
  protected protocol!: P
  /** Set it when a completion brought something that the program has to be told at the end of the batch. */
  protected hasNews = false
  /** Set it when data was received: the next send is posted at once. */
  protected mayAnswer = false
  /** Whether received data is thrown away. */
  protected isDiscarding = false
  #ending!: Ending
  #flush!: Flush
  /** Set when the peer finished and then gave up waiting for this end: it is an error only if data is sent after it. */
  #left: NettsError | undefined

  /** @param endpoint whose session this is */
  protected constructor(endpoint: Endpoint) {
    super(endpoint, endpoint.verbs.clock)
    this.endpoint = endpoint
  }

  // What a driver implements.

  /** How the driver sends. */
  protected abstract readonly sends: SendSide
  /** How the driver receives. */
  protected abstract readonly receives: ReceiveSide
  /** Whether the protocol and the queue have room for one more send of `byteLength` bytes. */
  protected abstract hasRoomFor(byteLength: number): boolean
  /** Decodes the peer's hello. @returns the protocol's state, or a sentence that says what is wrong with the hello */
  protected abstract openProtocol(hello: Uint8Array): P | string
  /**
   * A receive completed.
   * @param index the slot in the work request's id
   * @param words the completion: `COMPLETION` words from `at` on, valid for this call
   */
  protected abstract onReceived(index: number, words: Uint32Array, at: number): void
  /** Posts the receives that are due: the first step of each flush. */
  protected abstract postReceives(): void
  /** The queue pair is closed, and both sides have given their memory back: gives back everything else. */
  protected abstract releaseMemory(): void
  /** See {@link EndpointSession.hello}. */
  abstract hello(): Uint8Array
  /** See {@link EndpointSession.ready}. */
  abstract ready(): Uint8Array
  /** See {@link EndpointSession.onReady}. */
  abstract onReady(body: Uint8Array): void

  // What a driver calls.

  /** Flushes after this tick. */
  protected flushSoon(): void {
    this.#flush.schedule()
  }

  /** Flushes now: to be called in a callback of the event loop, such as a timer's. */
  protected flushNow(): void {
    this.#flush.run()
  }

  /**
   * To be called for each frame of data that was staged.
   * @param isLast false when more frames of the same send follow
   */
  protected onDataStaged(isLast = true): void {
    this.protocol.onSend(FrameKind.data)
    if (!this.mayAnswer || !isLast) {
      this.#flush.schedule()
    } else {
      this.mayAnswer = false
      this.#flush.answer()
    }
  }

  /**
   * To be called for each control frame that the protocol has taken.
   * @param argument the number in the frame
   * @param before the protocol's state before it was taken
   */
  protected onControl(kind: number, argument: number, before: LifeState): void {
    if (kind === FrameKind.fin) {
      this.onPeerEnd()
    } else if (kind === FrameKind.done) {
      // It answers this end's FIN.
      this.onEndTaken()
    } else if (kind === FrameKind.reset) {
      const error = resetByPeer(argument, this.remoteAddress)
      // It has finished, has waited, and nothing that was sent to it is lost.
      const hasLeft = argument === ResetReason.timeout && this.sends.places.dataInFlight === 0
      if (hasLeft && before === 'peer-finished') this.#onLeft(error)
      // This end's FIN crossed its last frame.
      else if (hasLeft && before === 'parting') this.onEndTaken()
      else this.onFailure(error)
    }
  }

  /**
   * To be called when the peer broke the protocol: resets the connection.
   * @param what it sent, see {@link brokenProtocol}
   */
  protected onLie(what: string): void {
    this.protocol.fail(ResetReason.protocol)
    this.onFailure(brokenProtocol(what, this.remoteAddress))
  }

  // The transport.

  get capabilities(): TransportCapabilities {
    return CAPABILITIES
  }
  /** Frames without data that this end has sent. */
  get controlFramesSent(): number {
    return this.#flush.controlFrames
  }
  get queuedBytes(): number {
    return this.state === 'closed' ? 0 : this.sends.places.queuedBytes
  }
  ref(): void {
    this.endpoint.ref()
  }
  unref(): void {
    this.endpoint.unref()
  }

  protected hasCapacityFor(byteLength: number): boolean {
    if (this.#left !== undefined) {
      this.onFailure(this.#left)
      return false
    }
    return this.hasRoomFor(byteLength)
  }

  protected get sendsUnderWay(): number {
    return this.sends.places.dataInFlight
  }

  /** The device may read the memory until the queue pair is drained: `onDrained` gives it back. */
  protected dropQueued(): void {}

  protected get hasUnpolled(): boolean {
    return this.receives.queued > 0
  }

  protected sayEnd(): void {
    this.protocol.finish()
    if (this.#left === undefined) this.#flush.schedule()
    else this.onEndTaken()
  }

  protected discardInput(): void {
    this.isDiscarding = true
    this.receives.discardQueued()
    if (this.state === 'disconnecting') this.#ending.confirm()
    this.#flush.schedule()
  }

  protected cut(error: NettsError): void {
    this.#ending.cut(error.code === 'ERR_NETTS_TIMEOUT' ? ResetReason.timeout : ResetReason.destroyed)
    this.#flush.schedule()
  }

  protected release(): void {
    this.#ending.release()
    this.#flush.schedule()
  }

  // The endpoint's calls.

  onHello(body: Uint8Array): void {
    const protocol = this.openProtocol(body)
    if (typeof protocol === 'string') {
      throw new NettsError('ERR_NETTS_PROTOCOL', `the hello is wrong: ${protocol}`, {
        operation: 'connect',
        address: this.remoteAddress,
      })
    }
    const { endpoint, sends } = this
    this.protocol = protocol
    const ending = new Ending({
      endpoint,
      protocol,
      places: sends.places,
      onEndTaken: () => this.onEndTaken(),
    })
    const onThrow = (error: unknown) => {
      if (error instanceof NettsError) ending.onRefused(error)
      else this.onThrow(error)
    }
    this.#ending = ending
    const postReceives = () => this.postReceives()
    this.#flush = new Flush({ endpoint, protocol, sends, ending, postReceives, onThrow })
  }

  onOpen(): void {}

  onCompletion(words: Uint32Array, at: number): void {
    // The endpoint ends the connection for a failed completion.
    if (words[at + COMPLETION.status] !== CompletionStatus.success) return
    const idLow = words[at + COMPLETION.idLow]!
    const kind = kindOf(idLow)
    try {
      if (kind === WorkKind.receive) this.onReceived(slotOf(idLow), words, at)
      else if (kind === WorkKind.send) this.#onSent(slotOf(idLow))
    } catch (error) {
      this.onThrow(error)
    }
  }

  onBatchEnd(): void {
    // A handshake that failed drains as well.
    if (this.endpoint.state !== 'open') return
    try {
      this.#ending.onAcknowledged()
      // What the program sends when it is woken is posted below, not a tick later.
      this.#flush.hold()
      if (this.hasNews) {
        this.hasNews = false
        this.wakeNow()
      }
    } catch (error) {
      this.onThrow(error)
    }
    this.#flush.run()
  }

  onEnd(error: NettsError): void {
    if (this.#left === undefined) this.onFailure(error)
  }

  onDrained(): void {
    this.sends.places.settle()
  }

  onClosed(): void {
    this.#ending?.stop()
    this.receives.close()
    this.sends.close()
    this.releaseMemory()
  }

  #onSent(place: number): void {
    if (this.completeSends(this.sends.places.retireTo(place))) this.hasNews = true
  }

  #onLeft(error: NettsError): void {
    this.#left = error
    // The endpoint may be draining: then no further batch would wake the program.
    this.wake()
  }
}
