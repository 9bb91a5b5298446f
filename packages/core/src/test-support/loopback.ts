/**
 * A pair of transports that are connected to each other in memory, for this package's own tests: honours the contract,
 * with a window, chunk sizes and partial accepts of the test's choice.
 */
import type { OwnedBufferPool } from '../buffer-pool/buffer-pool.js'
import type { BufferSlot } from '../buffer-pool/buffer-slot.js'
import { createBufferPool } from '../buffer-pool/create-buffer-pool.js'
import { BaseTransport } from '../driver/base-transport.js'
import { ChunkTable } from '../driver/chunk-table.js'
import { NettsError } from '../errors.js'
import type { RecvCompletion } from '../transport.js'

export interface LoopbackOptions {
  readonly maxSendSize?: number
  readonly recvWindow?: number
  readonly bufferPool?: OwnedBufferPool
  /**
   * How much of `byteLength` bytes the next send accepts: 0 refuses until {@link LoopbackTransport.wakeUp}. A pooled
   * buffer is accepted as a whole or not at all.
   */
  readonly accept?: (byteLength: number) => number
  /** How long the chunk is that the next `byteLength` bytes arrive in. */
  readonly chunk?: (byteLength: number) => number
  /** Sends complete at once unless this is true; then {@link LoopbackTransport.completeOldest} does it. */
  readonly holdCompletions?: boolean
}

export class LoopbackTransport extends BaseTransport {
  readonly bufferPool: OwnedBufferPool
  readonly maxSendSize: number
  readonly recvWindow: number
  readonly capabilities = { detectsPeerCrash: true, reset: true }
  readonly chunks = new ChunkTable<Uint8Array>()
  /** Every chunk that was accepted for sending. */
  readonly sent: Uint8Array[] = []
  /** Of `ref` and `unref`, what was called last. */
  isReferenced = true
  peer!: LoopbackTransport
  readonly #options: LoopbackOptions
  #inbox: Uint8Array[] = []
  // Bytes in the inbox, or handed out and not released.
  #windowUsed = 0
  #wasRefused = false
  #held: { readonly byteLength: number; complete(): void }[] = []

  constructor(name: string, peerName: string, options: LoopbackOptions) {
    super({ localAddress: { path: name }, remoteAddress: { path: peerName } })
    this.#options = options
    this.maxSendSize = options.maxSendSize ?? 65_536
    this.recvWindow = options.recvWindow ?? 1 << 20
    this.bufferPool = options.bufferPool ?? createBufferPool({ detectLeaks: true })
  }

  protected queueCopy(parts: readonly Uint8Array[]): number {
    const data = Buffer.concat(parts)
    const length = this.#room(data.byteLength)
    if (length === 0) return this.#refuse()
    this.#send(data.subarray(0, length), () => {})
    return length
  }

  protected hasCapacityFor(byteLength: number): boolean {
    const isWhole = this.#window(byteLength) >= byteLength
    if (isWhole && (this.#options.accept?.(byteLength) ?? byteLength) > 0) return true
    return this.#refuse() > 0
  }

  protected queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    const start = slot.byteOffset + byteOffset
    const bytes = slot.slab.subarray(start, start + byteLength)
    this.#send(Buffer.from(bytes), () => {
      // Whoever still uses it sees rubbish; what an application lent is its own again.
      if (slot.slabIndex >= 0) bytes.fill(0xee)
      slot.free()
    })
  }

  protected get sendsUnderWay(): number {
    return this.#held.length
  }

  get queuedBytes(): number {
    return this.#held.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  pollRecv(out: RecvCompletion[]): number {
    let count = 0
    while (count < out.length && this.#inbox.length > 0) {
      const bytes = this.#inbox[0]!
      const length = this.#options.chunk?.(bytes.byteLength) ?? bytes.byteLength
      if (length === bytes.byteLength) this.#inbox.shift()
      else this.#inbox[0] = bytes.subarray(length)
      const entry = out[count++]!
      entry.chunkIndex = this.chunks.add(bytes.subarray(0, length))
      entry.byteLength = length
    }
    return count
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.chunks.get(chunkIndex)
  }

  repostRecv(chunkIndex: number): void {
    const chunk = this.chunks.remove(chunkIndex)
    this.#windowUsed -= chunk.byteLength
    chunk.fill(0xdd)
    this.peer.wakeUp()
  }

  protected get hasUnpolled(): boolean {
    return this.#inbox.length > 0
  }

  ref(): void {
    this.isReferenced = true
  }

  unref(): void {
    this.isReferenced = false
  }

  protected sayEnd(): void {
    this.peer.onPeerEnd()
    this.onEndTaken()
  }

  protected discardInput(): void {
    for (const bytes of this.#inbox.splice(0)) this.#windowUsed -= bytes.byteLength
    this.peer.wakeUp()
  }

  protected cut(): void {
    this.peer.onFailure(new NettsError('ERR_NETTS_RESET', 'the peer destroyed the connection'))
  }

  protected release(): void {}

  protected dropQueued(): void {
    for (const { complete } of this.#held.splice(0)) complete()
  }

  /** Refused sends may succeed now. */
  wakeUp(): void {
    if (!this.#wasRefused) return
    this.#wasRefused = false
    this.wake()
  }

  /** With `holdCompletions`: completes the oldest sends. */
  completeOldest(count = this.#held.length): void {
    const done = this.#held.splice(0, count)
    for (const { complete } of done) complete()
    this.completeSends(done.length)
    this.wake()
  }

  #send(data: Buffer, complete: () => void): void {
    const taken = Uint8Array.from(data)
    this.sent.push(taken)
    this.peer.#arrive(Uint8Array.from(taken))
    this.#held.push({ byteLength: data.byteLength, complete })
    if (!this.#options.holdCompletions) process.nextTick(() => this.completeOldest(1))
  }

  #room(byteLength: number): number {
    const room = this.#window(byteLength)
    return room <= 0 ? 0 : Math.min(room, this.#options.accept?.(room) ?? room)
  }

  #window(byteLength: number): number {
    return Math.min(byteLength, this.maxSendSize, this.peer.recvWindow - this.peer.#windowUsed)
  }

  #refuse(): number {
    this.#wasRefused = true
    return 0
  }

  #arrive(bytes: Uint8Array): void {
    if (this.state === 'disconnecting' || this.state === 'closed') return
    this.#windowUsed += bytes.byteLength
    this.#inbox.push(bytes)
    this.wake()
  }
}

/** Two connected transports. */
export function loopbackPair(
  options: LoopbackOptions = {},
  peerOptions: LoopbackOptions = options,
): [LoopbackTransport, LoopbackTransport] {
  const one = new LoopbackTransport('one', 'two', options)
  const two = new LoopbackTransport('two', 'one', peerOptions)
  one.peer = two
  two.peer = one
  return [one, two]
}
