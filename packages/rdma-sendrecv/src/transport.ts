/**
 * A transport over one endpoint: moves chunks between programs and the device as the protocol allows.
 *
 * What is staged, released or due within a tick leaves after it in one flush: receives first, so that the counts that
 * follow them are true, then frames. The states are `protocol/lifecycle.ts`'s; how the endpoint ends is `ending.ts`'s.
 */
import {
  type BufferPool,
  type DisconnectOptions,
  type HostAddress,
  NettsError,
  type RecvCompletion,
  type TransportCapabilities,
} from '@netts/core'
import { BaseTransport, type BufferSlot, nextTick, sharePool } from '@netts/core/driver'
import { COMPLETION, CompletionStatus } from '@netts/verbs'
import { type Endpoint, type EndpointSession, kindOf, slotOf } from '@netts/verbs/endpoint'
import { Ending } from './ending.js'
import { brokenProtocol, resetByPeer } from './errors.js'
import { TransportMemory } from './memory.js'
import type { SendRecvConfig } from './options.js'
import { receivesFor } from './protocol/credits.js'
import {
  checkFrame,
  FrameKind,
  type FrameKindNumber,
  HEADER_BYTES,
  hasArgument,
  ResetReason,
  readArgument,
  readPosted,
} from './protocol/frame.js'
import { decodeHello, encodeHello, type Hello } from './protocol/hello.js'
import { isOver } from './protocol/lifecycle.js'
import { ProtocolEnd } from './protocol/protocol-end.js'
import { ReceiveBuffers } from './receive-buffers.js'
import { ReceivePosting } from './receive-posting.js'
import { SendQueue } from './send-queue.js'
import type { SendRecvTransport } from './send-recv-transport.js'
import { WorkKind } from './work-requests.js'

const CAPABILITIES: TransportCapabilities = Object.freeze({ detectsPeerCrash: true, reset: true })

/** See {@link SendRecvTransport}. */
export class SendRecvSession
  extends BaseTransport<HostAddress>
  implements SendRecvTransport, EndpointSession
{
  readonly capabilities = CAPABILITIES
  readonly #endpoint: Endpoint
  readonly #config: SendRecvConfig
  readonly #memory: TransportMemory
  readonly #receives: ReceiveBuffers
  readonly #sends: SendQueue
  readonly #localHello: Hello
  #protocol!: ProtocolEnd
  #ending: Ending | undefined
  #posting!: ReceivePosting
  #bufferPool: BufferPool | undefined
  #maxSendSize = 0
  /** This batch of completions brought something to tell the program. */
  #hasNews = false
  #isDiscarding = false
  /** The peer had finished, and waits no more for this end to do so: an error only to what would still be sent. */
  #peerLeft: NettsError | undefined
  #controlFrames = 0
  #flushScheduled = false
  /** A CREDIT frame is due, and goes in the next turn of the event loop unless another frame has carried the count. */
  #creditScheduled = false

  /** Takes memory and posts receives. @throws NettsError when there is not enough memory, and nothing is kept */
  constructor(endpoint: Endpoint, config: SendRecvConfig) {
    // While a deadline runs, the endpoint keeps the process alive.
    super(endpoint, endpoint.verbs.clock)
    this.#endpoint = endpoint
    this.#config = config
    const { queuePair } = endpoint
    this.#memory = TransportMemory.acquire(endpoint.environment, config.bufferSize)
    const most = receivesFor(config.recvDepth)
    const posted = receivesFor(config.recvDepthInitial)
    this.#localHello = { bufferSize: config.bufferSize, posted, maxPosted: most, features: 0 }
    this.#receives = new ReceiveBuffers(queuePair, this.#memory, most)
    const undo = [() => this.#memory.release(), () => this.#receives.close()]
    try {
      this.#sends = new SendQueue(queuePair, this.#memory, {
        depth: config.sendDepth,
        inlineThreshold: config.inlineThreshold,
      })
      undo.push(() => this.#sends.close())
      if (this.#receives.post(posted) < posted) {
        throw new NettsError('ERR_NETTS_POOL_EXHAUSTED', `there is no memory for ${posted} receives`)
      }
    } catch (error) {
      for (const step of undo.reverse()) step()
      throw error
    }
  }

  // Metadata.

  get bufferPool(): BufferPool {
    this.#bufferPool ??= sharePool(this.#memory.programPool, this.#config.bufferSize)
    return this.#bufferPool
  }
  get maxSendSize(): number {
    return this.#maxSendSize
  }
  get recvWindow(): number {
    return this.#config.recvDepth * this.#maxSendSize
  }
  get pinnedBytes(): number {
    const buffers = this.#receives.held + this.#sends.held
    return buffers * this.#config.bufferSize + this.#sends.headerBytes
  }
  get controlFramesSent(): number {
    return this.#controlFrames
  }
  ref(): void {
    this.#endpoint.ref()
  }
  unref(): void {
    this.#endpoint.unref()
  }

  // Sending.

  protected hasCapacityFor(): boolean {
    const left = this.#peerLeft
    if (left) nextTick(() => this.onFailure(left))
    return this.#protocol.maySendData && this.#sends.hasRoomForData && !isOver(this.#protocol.life)
  }

  protected queueCopy(parts: readonly Uint8Array[]): number {
    const accepted = this.hasCapacityFor() ? this.#sends.stageCopy(parts, this.#maxSendSize) : 0
    if (accepted === 0) return 0
    this.#protocol.onSend(FrameKind.data)
    this.#scheduleFlush()
    return accepted
  }

  protected queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    this.#sends.stageSlot(slot, byteOffset, byteLength)
    this.#protocol.onSend(FrameKind.data)
    this.#scheduleFlush()
  }

  protected get sendsUnderWay(): number {
    return this.#sends.dataInFlight
  }

  get queuedBytes(): number {
    return this.state === 'closed' ? 0 : this.#sends.dataBytes
  }

  /** What is under way comes back once the queue pair is drained. */
  protected dropQueued(): void {}

  // Receiving.

  pollRecv(out: RecvCompletion[]): number {
    const receives = this.#receives
    const count = Math.min(out.length, receives.queued, this.#config.recvDepth - receives.handedOut)
    for (let i = 0; i < count; i++) {
      const completion = out[i]!
      completion.chunkIndex = receives.handOut()
      completion.byteLength = receives.byteLength(completion.chunkIndex)
    }
    return count
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.#receives.bytes(chunkIndex)
  }

  repostRecv(chunkIndex: number): void {
    this.#receives.release(chunkIndex)
    this.#scheduleFlush()
    // A chunk may have had to wait for this release.
    if (this.#receives.queued > 0) this.wake()
  }

  protected get hasUnpolled(): boolean {
    return this.#receives.queued > 0
  }

  protected discardInput(): void {
    this.#isDiscarding = true
    this.#receives.discardQueued()
    this.#scheduleFlush()
  }

  // The end.

  protected sayEnd(): void {
    if (this.#peerLeft) {
      this.onEndTaken()
      return
    }
    this.#protocol.finish()
    this.#scheduleFlush()
  }

  override disconnect(options?: DisconnectOptions): void {
    super.disconnect(options)
    if (this.state === 'disconnecting') this.#ending?.disconnect()
  }

  protected cut({ code }: NettsError): void {
    this.#ending?.cut(code === 'ERR_NETTS_TIMEOUT' ? ResetReason.timeout : ResetReason.destroyed)
  }

  protected release(): void {
    this.#ending?.leave()
  }

  // The endpoint's calls.

  hello(): Uint8Array {
    return encodeHello(this.#localHello)
  }

  onHello(body: Uint8Array): void {
    const peer = decodeHello(body)
    if (typeof peer === 'string') {
      throw new NettsError('ERR_NETTS_PROTOCOL', `the hello is wrong: ${peer}`, {
        operation: 'connect',
        address: this.remoteAddress,
      })
    }
    const { recvDepthInitial, recvDepth, bufferSize } = this.#config
    this.#protocol = new ProtocolEnd(this.#localHello, peer, { least: recvDepthInitial, most: recvDepth })
    this.#ending = new Ending({
      endpoint: this.#endpoint,
      protocol: this.#protocol,
      sends: this.#sends,
      scheduleFlush: () => this.#scheduleFlush(),
      onDelivered: () => this.onEndTaken(),
    })
    this.#posting = new ReceivePosting({
      clock: this.#endpoint.verbs.clock,
      protocol: this.#protocol,
      receives: this.#receives,
      sends: this.#sends,
      flush: () => SendRecvSession.#tryFlush(this),
    })
    this.#maxSendSize = Math.min(bufferSize, peer.bufferSize) - HEADER_BYTES
  }

  ready(): Uint8Array {
    return new Uint8Array(0)
  }

  onReady(_body: Uint8Array): void {}

  onOpen(): void {}

  onCompletion(words: Uint32Array, at: number): void {
    // What failed, and how, is the endpoint's business: it ends the connection then.
    if (words[at + COMPLETION.status] !== CompletionStatus.success) return
    const idLow = words[at + COMPLETION.idLow]!
    const kind = kindOf(idLow)
    if (kind === WorkKind.receive) this.#onReceived(slotOf(idLow), words[at + COMPLETION.byteLength]!)
    else if (kind === WorkKind.send) this.#onSent(slotOf(idLow))
  }

  onBatchEnd(): void {
    // A handshake that failed drains as well.
    if (this.#endpoint.state !== 'open') return
    this.#ending?.onAcknowledged()
    // What the waker leads to leaves below, and not a tick later.
    this.#flushScheduled = true
    if (this.#hasNews) {
      this.#hasNews = false
      this.wakeNow()
    }
    SendRecvSession.#tryFlush(this)
  }

  onEnd(error: NettsError): void {
    const isClean = this.#ending?.isClean === true
    if (isClean) this.#protocol.abandon(ResetReason.timeout)
    else this.#protocol.fail()
    this.#ending?.stop()
    this.onFailure(isClean ? undefined : error)
  }

  onDrained(): void {
    this.#sends.settle()
  }

  onClosed(): void {
    this.#ending?.stop()
    this.#receives.close()
    this.#sends.close()
    this.#memory.release()
  }

  #onSent(place: number): void {
    if (this.completeSends(this.#sends.retireTo(place))) this.#hasNews = true
  }

  #onReceived(index: number, byteLength: number): void {
    const protocol = this.#protocol
    const buffer = this.#receives.filled(index)
    if (!buffer || isOver(protocol.life)) return
    this.#hasNews = true
    const { slab, byteOffset } = buffer
    const problem = checkFrame(slab, byteOffset, byteLength)
    if (problem !== undefined) {
      this.#onLie(problem)
      return
    }
    const kind = slab[byteOffset] as FrameKindNumber
    const argument = hasArgument(kind) ? readArgument(slab, byteOffset) : 0
    const lie = protocol.onFrame(kind, readPosted(slab, byteOffset), argument)
    if (lie !== undefined) {
      this.#onLie(lie)
      return
    }
    if (kind === FrameKind.data) {
      if (!this.#isDiscarding) this.#receives.queue(byteLength - HEADER_BYTES)
    } else if (kind === FrameKind.fin) {
      this.onPeerEnd()
    } else if (kind === FrameKind.reset) {
      this.#onReset(argument)
    }
  }

  #onReset(reason: number): void {
    const error = resetByPeer(reason, this.remoteAddress)
    const isOwed = this.#sends.dataInFlight > 0 || this.saidEnd
    if (reason !== ResetReason.timeout || !this.hasPeerEnded || isOwed) {
      this.onFailure(error)
      return
    }
    this.#peerLeft = error
    this.#ending?.closeEndpoint()
  }

  #onLie(what: string): void {
    this.#protocol.fail(ResetReason.protocol)
    this.onFailure(brokenProtocol(what, this.remoteAddress))
  }

  // The flush.

  /** What a tick brings leaves in one flush after it. */
  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#endpoint.state !== 'open') return
    this.#flushScheduled = true
    nextTick(SendRecvSession.#tryFlush, this)
  }

  /** Programs that answer from a promise do so after this flush, and then no frame of its own is needed. */
  #scheduleCredit(): void {
    if (this.#creditScheduled) return
    this.#creditScheduled = true
    this.#endpoint.verbs.clock.setImmediate(() => {
      this.#creditScheduled = false
      SendRecvSession.#tryFlush(this, true)
    })
  }

  static #tryFlush(this: void, session: SendRecvSession, isTurnOver = false): void {
    session.#flushScheduled = false
    try {
      session.#flush(isTurnOver)
    } catch (error) {
      session.#ending?.onRefused(error as NettsError)
    }
  }

  #flush(isTurnOver: boolean): void {
    if (this.#endpoint.state !== 'open' || this.#ending?.refused) return
    const protocol = this.#protocol
    const sends = this.#sends
    this.#posting.post()
    // Whatever is staged will carry the count: then no CREDIT is due.
    if (sends.hasStaged) protocol.receives.announce()
    while (sends.hasRoom) {
      const kind = protocol.dueControl
      if (kind === 0) break
      if (kind === FrameKind.credit && !isTurnOver) {
        this.#scheduleCredit()
        break
      }
      sends.stageControl(kind, protocol.argumentOf(kind))
      if (kind === FrameKind.fin) this.#ending?.onFinStaged()
      protocol.onSend(kind)
      protocol.receives.announce()
      this.#controlFrames++
    }
    if (!sends.hasStaged) return
    sends.post(protocol.receives.announce())
    this.#endpoint.posted()
  }
}
