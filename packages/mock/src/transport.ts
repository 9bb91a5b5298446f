/** One end of a mock connection: a transport like any other, over two in-memory pipes. */
import {
  type Address,
  type BufferPool,
  NettsError,
  type RecvCompletion,
  type TransportCapabilities,
} from '@netts/core'
import { BaseTransport, type BufferSlot, ChunkTable, type Clock } from '@netts/core/driver'
import type { Chunk, Goodbye, Pipe, PipeReceiver, PipeSender } from './pipe.js'
import { Presence } from './presence.js'
import type { Recorder } from './recorder.js'
import type { Turns } from './turns.js'

const CAPABILITIES: TransportCapabilities = Object.freeze({ detectsPeerCrash: true, reset: true })

/** Overwrites released chunks, as an adapter would, so that tests notice reads after the release. */
const POISON = 0xdb

/** The parts of a mock transport. */
export interface MockTransportParts {
  readonly localAddress: Address
  readonly remoteAddress: Address
  readonly bufferPool: BufferPool
  readonly maxSendSize: number
  readonly recvWindow: number
  readonly outgoing: Pipe
  readonly incoming: Pipe
  readonly clock: Clock
  readonly turns: Turns
  readonly recorder: Recorder
}

/** One end of a connection within a mock network. */
export class MockTransport extends BaseTransport implements PipeSender, PipeReceiver {
  readonly bufferPool: BufferPool
  readonly maxSendSize: number
  readonly recvWindow: number
  readonly capabilities = CAPABILITIES
  readonly #outgoing: Pipe
  readonly #incoming: Pipe
  readonly #turns: Turns
  readonly #recorder: Recorder
  readonly #presence = new Presence()
  readonly #arrived: Chunk[] = []
  readonly #handedOut = new ChunkTable<Chunk>()
  #hasLeft = false

  constructor(parts: MockTransportParts) {
    super(parts, parts.clock)
    this.bufferPool = parts.bufferPool
    this.maxSendSize = parts.maxSendSize
    this.recvWindow = parts.recvWindow
    this.#outgoing = parts.outgoing
    this.#incoming = parts.incoming
    this.#turns = parts.turns
    this.#recorder = parts.recorder
    this.#outgoing.sender = this
    this.#incoming.receiver = this
  }

  // Sending.

  protected hasCapacityFor(): boolean {
    if (!this.#outgoing.hasCapacity) return false
    if (!this.#outgoing.faults.refuses()) return true
    this.#turns.next(() => this.wake())
    return false
  }

  protected queueCopy(parts: readonly Uint8Array[]): number {
    if (!this.hasCapacityFor()) return 0
    let total = 0
    for (const part of parts) total += part.byteLength
    const accepted = this.#outgoing.faults.accepts(Math.min(total, this.maxSendSize))
    const bytes = new Uint8Array(accepted)
    let filled = 0
    for (const part of parts) {
      const piece = part.subarray(0, accepted - filled)
      bytes.set(piece, filled)
      filled += piece.byteLength
    }
    this.#recorder.record(bytes)
    this.#outgoing.push(bytes)
    return accepted
  }

  protected queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    const begin = slot.byteOffset + byteOffset
    const bytes = slot.slab.subarray(begin, begin + byteLength)
    this.#recorder.record(bytes)
    this.#outgoing.push(bytes, slot)
  }

  protected get sendsUnderWay(): number {
    return this.#outgoing.inFlight
  }

  get queuedBytes(): number {
    return this.#outgoing.queuedBytes
  }

  onCompleted(): void {
    if (this.completeSends(1)) this.wake()
  }

  // Receiving.

  pollRecv(out: RecvCompletion[]): number {
    const count = Math.min(out.length, this.#arrived.length)
    for (let i = 0; i < count; i++) {
      const chunk = this.#arrived[i]!
      out[i]!.chunkIndex = this.#handedOut.add(chunk)
      out[i]!.byteLength = chunk.bytes.byteLength
    }
    this.#arrived.splice(0, count)
    return count
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.#handedOut.get(chunkIndex).bytes
  }

  repostRecv(chunkIndex: number): void {
    const chunk = this.#handedOut.remove(chunkIndex)
    chunk.bytes.fill(POISON)
    this.#incoming.release(chunk)
  }

  protected get hasUnpolled(): boolean {
    return this.#arrived.length > 0
  }

  protected discardInput(): void {
    for (const chunk of this.#arrived.splice(0)) this.#incoming.release(chunk)
    this.#incoming.discard()
  }

  onChunk(chunk: Chunk): void {
    this.#arrived.push(chunk)
    this.wake()
  }

  // Ending.

  protected sayEnd(): void {
    this.#outgoing.end()
  }

  onEndArrived(): void {
    this.onEndTaken()
  }

  onGoodbye(goodbye: Goodbye): void {
    const address = this.remoteAddress
    if (goodbye === 'end') this.onPeerEnd()
    else if (goodbye === 'crash')
      this.onFailure(new NettsError('ERR_NETTS_PEER_LOST', 'the peer crashed', { address }))
    else this.onFailure(new NettsError('ERR_NETTS_RESET', 'the peer destroyed the connection', { address }))
  }

  /** A fault ends this transport at once. */
  onFault(goodbye: Goodbye): void {
    if (this.state === 'closed') return
    this.#leave(goodbye)
    this.onFailure(new NettsError('ERR_NETTS_DESTROYED', 'a fault of the mock network ended this side'))
  }

  onBroken(error: unknown): void {
    this.onThrow(error)
  }

  protected cut(): void {
    this.#leave('reset')
  }

  protected release(): void {
    this.#leave('end')
  }

  protected dropQueued(): void {
    this.#outgoing.close()
    this.#presence.end()
  }

  ref(): void {
    this.#presence.ref()
  }

  unref(): void {
    this.#presence.unref()
  }

  /** Ends both directions. Only the first call has an effect. */
  #leave(goodbye: Goodbye): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#outgoing.abandon(goodbye)
    if (goodbye === 'end') this.#incoming.discard()
    else this.#incoming.halt()
  }
}
