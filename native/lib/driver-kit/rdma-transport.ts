/**
 * What every transport over an endpoint does alike. To the program it is a transport, and what is alike for all of those
 * is `BaseTransport`'s; to the endpoint it is its session. This class stands between: it keeps the protocol's life, the
 * flush and the end, and takes what is in no data. A driver extends it and states what its data is: how it is staged,
 * how a received frame is read, and which memory it needs.
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

/** See above. */
export abstract class RdmaTransport<P extends ProtocolEnd>
  extends BaseTransport<HostAddress>
  implements EndpointSession
{
  protected readonly endpoint: Endpoint
  /** From the peer's hello on. */
  protected protocol!: P
  /** This batch of completions brought something to tell the program. */
  protected hasNews = false
  /** Data was received since the last send: that leaves at once. */
  protected mayAnswer = false
  /** What is received is thrown away. */
  protected isDiscarding = false
  #ending!: Ending
  #flush!: Flush
  /** The peer had finished, has waited for this end, and left: which is an error only if something is sent to it. */
  #left: NettsError | undefined

  protected constructor(endpoint: Endpoint) {
    super(endpoint, endpoint.verbs.clock)
    this.endpoint = endpoint
  }

  // What a driver states.

  protected abstract readonly sends: SendSide
  protected abstract readonly receives: ReceiveSide
  /** Whether the protocol and the queue allow one more send of so many bytes. */
  protected abstract hasRoomFor(byteLength: number): boolean
  /** Reads the peer's hello. @returns the protocol's state, or what is wrong with the hello */
  protected abstract openProtocol(hello: Uint8Array): P | string
  /** A receive was used up: `COMPLETION` words from `at` on. */
  protected abstract onReceived(index: number, words: Uint32Array, at: number): void
  /** Posts the receives that are due: the first part of each flush. */
  protected abstract postReceives(): void
  /** The queue pair is gone, and so is the memory of both sides: gives back what else was taken. */
  protected abstract releaseMemory(): void
  abstract hello(): Uint8Array
  abstract ready(): Uint8Array
  abstract onReady(body: Uint8Array): void

  // What a driver tells.

  /** Flushes behind this tick. */
  protected flushSoon(): void {
    this.#flush.schedule()
  }

  /** Flushes now: in a callback of the event loop. */
  protected flushNow(): void {
    this.#flush.run()
  }

  /** A frame of data was staged. @param isLast whether no other one belongs to the same send */
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
   * A control frame was taken by the protocol.
   * @param argument that came with it
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

  /** The peer broke the protocol. @param what it sent */
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

  /** The device reads the memory until the queue pair was drained: `onDrained` gives it back. */
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
    // What failed, and how, is the endpoint's business: it ends the connection then.
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
      // What the waker leads to leaves below, and not a tick later.
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
    // The endpoint may be draining, and then no batch ends any more that would tell the program.
    this.wake()
  }
}
