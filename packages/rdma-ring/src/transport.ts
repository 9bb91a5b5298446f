/**
 * A transport over one-sided verbs: it writes chunks into the peer's ring, and reads those in its own. Its states and
 * its end are in `RdmaTransport` of `@netts/verbs/endpoint`, its sends in `send-queue.ts`, its received chunks in
 * `received-ring.ts`.
 */
import { type BufferPool, NettsError, type RecvCompletion } from '@netts/core'
import { type BufferSlot, sharePool } from '@netts/core/driver'
import { COMPLETION, CompletionFlag } from '@netts/verbs'
import { type Endpoint, RdmaTransport, readUint32, TransportMemory } from '@netts/verbs/endpoint'
import { ControlReceives } from './control-receives.js'
import { LEAST_SEND_SIZE, type RingConfig } from './options.js'
import { DOORBELL_BYTES, HEADER_BYTES, readArgument } from './protocol/frame.js'
import { decodeHello, decodeReady, encodeHello, encodeReady, type Hello } from './protocol/hello.js'
import { RingEnd, ringReceives, windowFor } from './protocol/ring-end.js'
import { ReceivedRing } from './received-ring.js'
import type { RingTransport } from './ring-transport.js'
import { SendQueue } from './send-queue.js'

/** See {@link RingTransport}. */
export class RingSession extends RdmaTransport<RingEnd> implements RingTransport {
  protected readonly sends: SendQueue
  protected readonly receives: ReceivedRing
  readonly #config: RingConfig
  readonly #memory: TransportMemory
  readonly #control: ControlReceives
  readonly #localHello: Hello
  #bufferPool: BufferPool | undefined
  #maxSendSize = 0

  /** Takes memory and posts receives. @throws NettsError when there is not enough memory; then it keeps none */
  constructor(endpoint: Endpoint, config: RingConfig) {
    super(endpoint)
    this.#config = config
    const { environment, queuePair } = endpoint
    const { capacity, bufferSize } = config
    const posted = ringReceives(windowFor(capacity))
    this.#localHello = { capacity, posted, maxPosted: posted, features: 0 }
    this.#memory = TransportMemory.acquire(environment, bufferSize)
    const undo = [() => this.#memory.release()]
    try {
      this.receives = new ReceivedRing(environment, config)
      undo.push(() => this.receives.close())
      this.sends = new SendQueue(queuePair, this.#memory, config)
      undo.push(() => this.sends.close())
      this.#control = new ControlReceives(queuePair, this.#memory, posted)
      undo.push(() => this.#control.close())
      this.#control.post(posted)
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
    return this.#config.capacity / 2
  }
  get memoryWindow(): boolean {
    return this.receives.memory.isWindowed
  }
  get pinnedBytes(): number {
    const { buffers, places } = this.sends
    const sendBytes = buffers.held * this.#config.bufferSize + places.headerBytes
    return this.receives.pinnedBytes + this.#control.byteLength + sendBytes
  }

  // Sending.

  protected hasRoomFor(byteLength: number): boolean {
    return this.sends.places.hasRoomForData && this.protocol.maySend(byteLength)
  }

  protected queueCopy(parts: readonly Uint8Array[]): number {
    let byteLength = 0
    for (const part of parts) byteLength += part.length
    // Everything has to fit: otherwise a slow reader would be sent smaller and smaller frames.
    const most = Math.min(byteLength, this.#maxSendSize)
    const frames = this.hasCapacityFor(most) ? this.sends.stageCopy(parts, most) : 0
    this.#onStaged(frames)
    return frames > 0 ? most : 0
  }

  protected queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    this.#onStaged(this.sends.stageSlot(slot, byteOffset, byteLength))
  }

  /** A send was staged in so many frames. */
  #onStaged(frames: number): void {
    for (let left = frames; left > 0; left--) this.onDataStaged(left === 1)
  }

  // Receiving.

  pollRecv(out: RecvCompletion[]): number {
    const { protocol } = this
    let count = 0
    for (; count < out.length; count++) {
      const index = protocol.handOut()
      if (index < 0) break
      const completion = out[count]!
      completion.chunkIndex = index
      completion.byteLength = protocol.chunks.byteLength(index)
    }
    return count
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.receives.bytes(chunkIndex)
  }

  repostRecv(chunkIndex: number): void {
    this.receives.release(chunkIndex)
    if (this.protocol.isCreditDue) this.flushSoon()
    // The oldest queued chunk may have waited for this release.
    if (this.receives.queued > 0) this.wake()
  }

  protected postReceives(): void {
    const { protocol } = this
    const count = protocol.dueReceives
    if (count === 0 || protocol.life === 'failed') return
    this.#control.post(count)
    protocol.onPosted(count)
  }

  protected onReceived(index: number, words: Uint32Array, at: number): void {
    const { protocol } = this
    if (!this.#control.filled(index) || protocol.life === 'failed') return
    this.hasNews = true
    const byteLength = words[at + COMPLETION.byteLength]!
    const { slab } = this.#control.memory
    const offset = this.#control.byteOffset(index)
    if (words[at + COMPLETION.flags]! & CompletionFlag.withImmediate) {
      this.#onDoorbell(words[at + COMPLETION.immediate]!)
    } else if (byteLength === DOORBELL_BYTES) {
      this.#onDoorbell(readUint32(slab, offset))
    } else {
      this.#onControlFrame(slab, offset, byteLength)
    }
  }

  #onDoorbell(position: number): void {
    const lie = this.receives.onDoorbell(position)
    if (lie !== undefined) this.onLie(lie)
    else if (this.isDiscarding) this.receives.discardQueued()
    else this.mayAnswer = true
  }

  #onControlFrame(slab: Uint8Array, offset: number, byteLength: number): void {
    const { protocol } = this
    const kind = slab[offset]!
    const before = protocol.life
    const lie = protocol.onControlFrame(slab, offset, byteLength)
    if (lie !== undefined) this.onLie(lie)
    else this.onControl(kind, readArgument(slab, offset), before)
  }

  // The endpoint's calls.

  hello(): Uint8Array {
    return encodeHello(this.#localHello)
  }

  protected openProtocol(body: Uint8Array): RingEnd | string {
    const peer = decodeHello(body)
    if (typeof peer === 'string') return peer
    const { capacity, bufferSize } = this.#config
    const protocol = new RingEnd(this.#localHello, peer, windowFor(capacity))
    this.receives.open(protocol)
    this.sends.open(protocol)
    const quarter = Math.min(capacity, peer.capacity) / 4 - HEADER_BYTES
    this.#maxSendSize = Math.min(bufferSize - HEADER_BYTES, Math.max(LEAST_SEND_SIZE, quarter))
    return protocol
  }

  ready(): Uint8Array {
    return encodeReady(this.receives.memory.open(this.endpoint.queuePair))
  }

  onReady(body: Uint8Array): void {
    const ring = decodeReady(body)
    if (typeof ring === 'string') {
      throw new NettsError('ERR_NETTS_PROTOCOL', ring, { operation: 'connect', address: this.remoteAddress })
    }
    this.sends.aim(ring)
  }

  override onDrained(): void {
    super.onDrained()
    this.receives.memory.closeWindow()
  }

  protected releaseMemory(): void {
    this.#control.close()
    this.#memory.release()
  }
}
