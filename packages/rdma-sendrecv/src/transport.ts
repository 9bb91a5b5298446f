/**
 * A transport over one endpoint: moves chunks between a program and the device as the protocol allows.
 *
 * To the program it is a transport, and what is alike for all of those is `BaseTransport`'s; to the endpoint it is its
 * session. Sends wait in `send-queue.ts`, receives in `receive-buffers.ts`; what leaves does so by `flush.ts`, and how it
 * ends is `ending.ts`'s.
 */
import {
  type BufferPool,
  type HostAddress,
  NettsError,
  type RecvCompletion,
  type TransportCapabilities,
} from '@netts/core'
import { BaseTransport, type BufferSlot, sharePool } from '@netts/core/driver'
import { COMPLETION, CompletionStatus } from '@netts/verbs'
import { type Endpoint, type EndpointSession, kindOf, slotOf } from '@netts/verbs/endpoint'
import { Ending } from './ending.js'
import { brokenProtocol, resetByPeer } from './errors.js'
import { Flush } from './flush.js'
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
  readonly #endpoint: Endpoint
  readonly #config: SendRecvConfig
  readonly #memory: TransportMemory
  readonly #receives: ReceiveBuffers
  readonly #sends: SendQueue
  readonly #localHello: Hello
  #bufferPool: BufferPool | undefined
  // From the peer's hello on.
  #protocol!: ProtocolEnd
  #ending!: Ending
  #flush!: Flush
  #maxSendSize = 0
  /** This batch of completions brought something to tell the program. */
  #hasNews = false
  #isDiscarding = false
  /** The peer had finished, has waited for this end, and left: which is an error only if something is sent to it. */
  #left: NettsError | undefined

  /** Takes memory and posts receives. @throws NettsError when there is not enough memory, and nothing is kept */
  constructor(endpoint: Endpoint, config: SendRecvConfig) {
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

  get bufferPool(): BufferPool {
    this.#bufferPool ??= sharePool(this.#memory.programPool, this.#maxSendSize)
    return this.#bufferPool
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
    return this.#flush.controlFrames
  }
  ref(): void {
    this.#endpoint.ref()
  }
  unref(): void {
    this.#endpoint.unref()
  }

  // Sending.

  protected queueCopy(parts: readonly Uint8Array[]): number {
    const accepted = this.hasCapacityFor() ? this.#sends.stageCopy(parts, this.#maxSendSize) : 0
    if (accepted > 0) this.#onDataStaged()
    return accepted
  }

  protected hasCapacityFor(): boolean {
    if (this.#left !== undefined) {
      this.onFailure(this.#left)
      return false
    }
    return this.#protocol.maySendData && this.#sends.hasRoomForData
  }

  protected queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    this.#sends.stageSlot(slot, byteOffset, byteLength)
    this.#onDataStaged()
  }

  protected get sendsUnderWay(): number {
    return this.#sends.dataInFlight
  }

  get queuedBytes(): number {
    return this.state === 'closed' ? 0 : this.#sends.queuedBytes
  }

  /** The device reads the memory until the queue pair was drained: `onDrained` gives it back. */
  protected dropQueued(): void {}

  #onDataStaged(): void {
    this.#protocol.onSend(FrameKind.data)
    this.#flush.schedule()
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
    this.#flush.schedule()
    // A chunk may have had to wait for this release.
    if (this.#receives.queued > 0) this.wake()
  }

  protected get hasUnpolled(): boolean {
    return this.#receives.queued > 0
  }

  // The end.

  protected sayEnd(): void {
    this.#protocol.finish()
    if (this.#left === undefined) this.#flush.schedule()
    else this.onEndTaken()
  }

  protected discardInput(): void {
    this.#isDiscarding = true
    this.#receives.discardQueued()
    if (this.state === 'disconnecting') this.#ending.confirm()
    this.#flush.schedule()
  }

  protected cut(error: NettsError): void {
    this.#ending.cut(error.code === 'ERR_NETTS_TIMEOUT' ? ResetReason.timeout : ResetReason.destroyed)
  }

  protected release(): void {
    this.#ending.release()
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
    const protocol = new ProtocolEnd(this.#localHello, peer, { least: recvDepthInitial, most: recvDepth })
    const shared = { endpoint: this.#endpoint, protocol, sends: this.#sends }
    this.#protocol = protocol
    this.#ending = new Ending({
      ...shared,
      scheduleFlush: () => this.#flush.schedule(),
      onEndTaken: () => this.onEndTaken(),
    })
    const posting = new ReceivePosting({
      clock: this.clock,
      protocol,
      receives: this.#receives,
      sends: this.#sends,
      flush: () => this.#flush.run(),
    })
    this.#flush = new Flush({
      ...shared,
      posting,
      ending: this.#ending,
      onThrow: (error) => {
        if (error instanceof NettsError) this.#ending.onRefused(error)
        else this.onThrow(error)
      },
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
    try {
      if (kind === WorkKind.receive) this.#onReceived(slotOf(idLow), words[at + COMPLETION.byteLength]!)
      else if (kind === WorkKind.send) this.#onSent(slotOf(idLow))
    } catch (error) {
      this.onThrow(error)
    }
  }

  onBatchEnd(): void {
    // A handshake that failed drains as well.
    if (this.#endpoint.state !== 'open') return
    try {
      this.#ending.onAcknowledged()
      // What the waker leads to leaves below, and not a tick later.
      this.#flush.hold()
      if (this.#hasNews) {
        this.#hasNews = false
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
    if (!buffer || protocol.life === 'failed') return
    this.#hasNews = true
    const { slab, byteOffset } = buffer
    const problem = checkFrame(slab, byteOffset, byteLength)
    if (problem !== undefined) {
      this.#onLie(problem)
      return
    }
    const kind = slab[byteOffset] as FrameKindNumber
    const argument = hasArgument(kind) ? readArgument(slab, byteOffset) : 0
    const hadPeerFinished = protocol.life === 'peer-finished'
    const lie = protocol.onFrame(kind, readPosted(slab, byteOffset), argument)
    if (lie !== undefined) {
      this.#onLie(lie)
    } else if (kind === FrameKind.data) {
      if (!this.#isDiscarding) this.#receives.queue(byteLength - HEADER_BYTES)
    } else if (kind === FrameKind.fin) {
      this.onPeerEnd()
    } else if (kind === FrameKind.done) {
      // It answers this end's FIN.
      this.onEndTaken()
    } else if (kind === FrameKind.reset) {
      const error = resetByPeer(argument, this.remoteAddress)
      const isLeaving = argument === ResetReason.timeout && hadPeerFinished && this.#sends.dataInFlight === 0
      if (isLeaving) this.#onLeft(error)
      else this.onFailure(error)
    }
  }

  #onLeft(error: NettsError): void {
    this.#left = error
    // The endpoint may be draining, and then no batch ends any more that would tell the program.
    this.wake()
  }

  #onLie(what: string): void {
    this.#protocol.fail(ResetReason.protocol)
    this.onFailure(brokenProtocol(what, this.remoteAddress))
  }
}
