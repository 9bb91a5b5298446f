/**
 * A transport over one endpoint: moves chunks between programs and the device as the protocol allows.
 *
 * What is staged, released or due within a tick leaves after it in one flush: receives first, so that the counts that
 * follow them are true, then frames. The states are `protocol/lifecycle.ts`'s; how it ends is `ending.ts`'s.
 */
import {
  type BufferPool,
  type HostAddress,
  NettsError,
  type PooledBuffer,
  type RecvCompletion,
  type TransportCapabilities,
  type TransportState,
} from '@netts/core'
import { checkSendRange, invalidArgument, takeSlot, Waker } from '@netts/core/driver'
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
export class SendRecvSession implements SendRecvTransport, EndpointSession {
  readonly #endpoint: Endpoint
  readonly #config: SendRecvConfig
  readonly #memory: TransportMemory
  readonly #receives: ReceiveBuffers
  readonly #sends: SendQueue
  readonly #waker = new Waker()
  readonly #localHello: Hello
  readonly #oneCopy: Uint8Array[] = [new Uint8Array(0)]
  #protocol!: ProtocolEnd
  #ending!: Ending
  #posting!: ReceivePosting
  #maxSendSize = 0
  #completed = 0
  /** A send was refused, or completions were asked for: the waker tells of the next one. */
  #awaitsCompletion = false
  /** This batch of completions brought something to tell the program. */
  #hasNews = false
  #controlFrames = 0
  #peerFinished = false
  /** This side said finish, disconnect or destroy: sending is misuse from then on. */
  #saidEnd = false
  #flushScheduled = false
  /** A CREDIT frame is due, and goes in the next turn of the event loop unless another frame has carried the count. */
  #creditScheduled = false

  /** Takes memory and posts receives. @throws NettsError when there is not enough memory, and nothing is kept */
  constructor(endpoint: Endpoint, config: SendRecvConfig) {
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

  get localAddress(): HostAddress {
    return this.#endpoint.localAddress
  }
  get remoteAddress(): HostAddress {
    return this.#endpoint.remoteAddress
  }
  get bufferPool(): BufferPool {
    return this.#memory.programPool
  }
  get maxSendSize(): number {
    return this.#maxSendSize
  }
  get recvWindow(): number {
    return this.#config.recvDepth * this.#maxSendSize
  }
  get capabilities(): TransportCapabilities {
    return CAPABILITIES
  }
  get pinnedBytes(): number {
    const buffers = this.#receives.held + this.#sends.held
    return buffers * this.#config.bufferSize + this.#sends.headerBytes
  }
  get controlFramesSent(): number {
    return this.#controlFrames
  }
  get state(): TransportState {
    const { life } = this.#protocol
    if (isOver(life)) return 'closed'
    if (this.#ending.disconnecting) return 'disconnecting'
    return life === 'open' || life === 'peer-finished' ? 'open' : 'finished'
  }
  get error(): NettsError | undefined {
    return this.#ending.error
  }
  get waker(): (() => void) | undefined {
    return this.#waker.callback
  }
  set waker(callback: (() => void) | undefined) {
    this.#waker.callback = callback
  }
  ref(): void {
    this.#endpoint.ref()
  }
  unref(): void {
    this.#endpoint.unref()
  }

  // Sending.

  sendCopy(data: Uint8Array): number {
    if (!(data instanceof Uint8Array)) throw invalidArgument('data must be a Uint8Array', 'sendCopy')
    if (data.byteLength === 0) throw invalidArgument('data is empty', 'sendCopy')
    const parts = this.#oneCopy
    parts[0] = data
    return this.#copy(parts, 'sendCopy')
  }

  sendGather(parts: readonly Uint8Array[]): number {
    let empty = true
    for (const part of parts) {
      if (!(part instanceof Uint8Array)) throw invalidArgument('parts must be Uint8Arrays', 'sendGather')
      if (part.byteLength > 0) empty = false
    }
    if (empty) throw invalidArgument('every part is empty', 'sendGather')
    return this.#copy(parts, 'sendGather')
  }

  sendBuffer(buffer: PooledBuffer, byteOffset = 0, byteLength?: number): boolean {
    const length = checkSendRange(
      buffer,
      this.#memory.environment.domain,
      this.#maxSendSize,
      byteOffset,
      byteLength,
    )
    if (!this.#maySend('sendBuffer')) {
      this.#awaitsCompletion = true
      return false
    }
    this.#sends.stageSlot(takeSlot(buffer), byteOffset, length)
    this.#protocol.onSend(FrameKind.data)
    this.#scheduleFlush()
    return true
  }

  pollSendCompletion(): number {
    const completed = this.#completed
    this.#completed = 0
    this.#awaitsCompletion = true
    return completed
  }

  get sendsInFlight(): number {
    return isOver(this.#protocol.life) ? 0 : this.#sends.dataInFlight + this.#completed
  }

  /** @throws NettsError `ERR_NETTS_INVALID_STATE` after this side's own end */
  #maySend(operation: string): boolean {
    if (this.#saidEnd) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', `${operation} after finish, disconnect or destroy`, {
        operation,
      })
    }
    const { life, maySendData } = this.#protocol
    return maySendData && this.#sends.hasRoomForData && !isOver(life)
  }

  #copy(parts: readonly Uint8Array[], operation: string): number {
    const accepted = this.#maySend(operation) ? this.#sends.stageCopy(parts, this.#maxSendSize) : 0
    if (accepted === 0) {
      this.#awaitsCompletion = true
      return 0
    }
    this.#protocol.onSend(FrameKind.data)
    this.#scheduleFlush()
    return accepted
  }

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
    if (this.#receives.queued > 0) this.#waker.wake()
  }

  get recvEnded(): boolean {
    return this.#peerFinished && this.#receives.queued === 0
  }

  // The end.

  pollDisconnect(): boolean {
    return isOver(this.#protocol.life)
  }

  finish(): void {
    this.#saidEnd = true
    this.#protocol.finish()
    this.#scheduleFlush()
  }

  disconnect(): void {
    this.#saidEnd = true
    if (this.#ending.disconnecting || isOver(this.#protocol.life)) return
    this.#ending.disconnect()
    this.#receives.discardQueued()
    this.#scheduleFlush()
  }

  destroy(error?: NettsError): void {
    this.#saidEnd = true
    if (isOver(this.#protocol.life)) return
    this.#ending.fail(
      error ?? new NettsError('ERR_NETTS_DESTROYED', 'the transport was destroyed'),
      ResetReason.destroyed,
    )
    this.#receives.discardQueued()
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
      waker: this.#waker,
      scheduleFlush: () => this.#scheduleFlush(),
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
    if (this.#sends.inFlight === 0) this.#ending.onAllAcknowledged()
    else this.#ending.onAcknowledged()
    if (isOver(this.#protocol.life)) return
    // What the waker leads to leaves below, and not a tick later.
    this.#flushScheduled = true
    try {
      if (this.#hasNews) {
        this.#hasNews = false
        this.#waker.wakeNow()
      }
    } finally {
      SendRecvSession.#tryFlush(this)
    }
  }

  onEnd(error: NettsError): void {
    this.#ending.onEndpointEnd(error)
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
    this.#completed += this.#sends.retireTo(place)
    if (!this.#awaitsCompletion) return
    this.#awaitsCompletion = false
    this.#hasNews = true
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
      if (!this.#ending.disconnecting) this.#receives.queue(byteLength - HEADER_BYTES)
    } else if (kind === FrameKind.fin) {
      this.#peerFinished = true
    } else if (kind === FrameKind.reset) {
      this.#ending.onReset(resetByPeer(argument, this.remoteAddress))
    }
  }

  #onLie(what: string): void {
    this.#ending.fail(brokenProtocol(what, this.remoteAddress), ResetReason.protocol)
  }

  // The flush.

  /** What a tick brings leaves in one flush after it. */
  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#endpoint.state !== 'open') return
    this.#flushScheduled = true
    process.nextTick(SendRecvSession.#tryFlush, this)
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
      session.#ending.onRefused(error as NettsError)
    }
  }

  #flush(isTurnOver: boolean): void {
    if (this.#endpoint.state !== 'open' || this.#ending.refused) return
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
      if (kind === FrameKind.fin) this.#ending.onFinStaged()
      protocol.onSend(kind)
      protocol.receives.announce()
      this.#controlFrames++
    }
    if (!sends.hasStaged) return
    sends.post(protocol.receives.announce())
    this.#endpoint.posted()
  }
}
