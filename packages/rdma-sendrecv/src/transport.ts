/**
 * A transport over two-sided verbs: it moves chunks between a program and the device as the protocol allows. Its states
 * and its end are in `RdmaTransport` of `@netts/verbs/endpoint`, its sends in `send-queue.ts`, its receives in
 * `receive-buffers.ts`.
 */
import { type BufferPool, NettsError, type RecvCompletion } from '@netts/core'
import { type BufferSlot, sharePool } from '@netts/core/driver'
import { COMPLETION } from '@netts/verbs'
import { type Endpoint, RdmaTransport, receivesFor, TransportMemory } from '@netts/verbs/endpoint'
import type { SendRecvConfig } from './options.js'
import {
  checkFrame,
  FrameKind,
  type FrameKindNumber,
  HEADER_BYTES,
  hasArgument,
  readArgument,
  readPosted,
} from './protocol/frame.js'
import { decodeHello, encodeHello, type Hello } from './protocol/hello.js'
import { ProtocolEnd } from './protocol/protocol-end.js'
import { ReceiveBuffers } from './receive-buffers.js'
import { ReceivePosting } from './receive-posting.js'
import { SendQueue } from './send-queue.js'
import type { SendRecvTransport } from './send-recv-transport.js'

/** See {@link SendRecvTransport}. */
export class SendRecvSession extends RdmaTransport<ProtocolEnd> implements SendRecvTransport {
  protected readonly sends: SendQueue
  protected readonly receives: ReceiveBuffers
  readonly #config: SendRecvConfig
  readonly #memory: TransportMemory
  readonly #localHello: Hello
  #bufferPool: BufferPool | undefined
  #maxSendSize = 0
  /** From the peer's hello on. */
  #posting!: ReceivePosting

  /** Takes memory and posts receives. @throws NettsError when there is not enough memory; then it keeps none */
  constructor(endpoint: Endpoint, config: SendRecvConfig) {
    super(endpoint)
    this.#config = config
    const { queuePair } = endpoint
    this.#memory = TransportMemory.acquire(endpoint.environment, config.bufferSize)
    const most = receivesFor(config.recvDepth)
    const posted = receivesFor(config.recvDepthInitial)
    this.#localHello = { bufferSize: config.bufferSize, posted, maxPosted: most, features: 0 }
    this.receives = new ReceiveBuffers(queuePair, this.#memory, most)
    const undo = [() => this.#memory.release(), () => this.receives.close()]
    try {
      this.sends = new SendQueue(queuePair, this.#memory, {
        depth: config.sendDepth,
        inlineThreshold: config.inlineThreshold,
      })
      undo.push(() => this.sends.close())
      if (this.receives.post(posted) < posted) {
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
  get pinnedBytes(): number {
    const buffers = this.receives.held + this.sends.buffers.held
    return buffers * this.#config.bufferSize + this.sends.places.headerBytes
  }

  // Sending.

  protected hasRoomFor(_byteLength: number): boolean {
    return this.protocol.maySendData && this.sends.places.hasRoomForData
  }

  protected queueCopy(parts: readonly Uint8Array[]): number {
    const accepted = this.hasCapacityFor(1) ? this.sends.stageCopy(parts, this.#maxSendSize) : 0
    if (accepted > 0) this.onDataStaged()
    return accepted
  }

  protected queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    this.sends.stageSlot(slot, byteOffset, byteLength)
    this.onDataStaged()
  }

  // Receiving.

  pollRecv(out: RecvCompletion[]): number {
    const { receives } = this
    const count = Math.min(out.length, receives.queued, this.#config.recvDepth - receives.handedOut)
    for (let i = 0; i < count; i++) {
      const completion = out[i]!
      completion.chunkIndex = receives.handOut()
      completion.byteLength = receives.byteLength(completion.chunkIndex)
    }
    return count
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.receives.bytes(chunkIndex)
  }

  repostRecv(chunkIndex: number): void {
    this.receives.release(chunkIndex)
    this.flushSoon()
    // The oldest queued chunk may have waited for this release.
    if (this.receives.queued > 0) this.wake()
  }

  protected postReceives(): void {
    this.#posting.post()
  }

  protected onReceived(index: number, words: Uint32Array, at: number): void {
    const { protocol, receives } = this
    const buffer = receives.filled(index)
    if (!buffer || protocol.life === 'failed') return
    this.hasNews = true
    const { slab, byteOffset } = buffer
    const byteLength = words[at + COMPLETION.byteLength]!
    const problem = checkFrame(slab, byteOffset, byteLength)
    if (problem !== undefined) {
      this.onLie(problem)
      return
    }
    const kind = slab[byteOffset] as FrameKindNumber
    const argument = hasArgument(kind) ? readArgument(slab, byteOffset) : 0
    const before = protocol.life
    const lie = protocol.onFrame(kind, readPosted(slab, byteOffset), argument)
    if (lie !== undefined) this.onLie(lie)
    else if (kind !== FrameKind.data) this.onControl(kind, argument, before)
    else if (!this.isDiscarding) {
      receives.queue(byteLength - HEADER_BYTES)
      this.mayAnswer = true
    }
  }

  // The endpoint's calls.

  hello(): Uint8Array {
    return encodeHello(this.#localHello)
  }

  protected openProtocol(body: Uint8Array): ProtocolEnd | string {
    const peer = decodeHello(body)
    if (typeof peer === 'string') return peer
    const { recvDepthInitial, recvDepth, bufferSize } = this.#config
    const { receives, sends, clock } = this
    const protocol = new ProtocolEnd(this.#localHello, peer, { least: recvDepthInitial, most: recvDepth })
    this.#posting = new ReceivePosting({
      clock,
      protocol,
      receives,
      buffers: sends.buffers,
      flush: () => this.flushNow(),
    })
    this.#maxSendSize = Math.min(bufferSize, peer.bufferSize) - HEADER_BYTES
    return protocol
  }

  ready(): Uint8Array {
    return new Uint8Array(0)
  }

  onReady(_body: Uint8Array): void {}

  protected releaseMemory(): void {
    this.#memory.release()
  }
}
