/**
 * A pair of transports that are connected to each other in memory, for this package's own tests: honours the contract,
 * with a window, chunk sizes and partial accepts of the test's choice.
 */
import type { Address } from '../address.js'
import type { OwnedBufferPool, PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { checkSendRange, takeSlot } from '../buffer-pool/buffer-slot.js'
import { createBufferPool } from '../buffer-pool/create-buffer-pool.js'
import { ChunkTable } from '../driver/chunk-table.js'
import { Waker } from '../driver/waker.js'
import { invalidArgument, NettsError } from '../errors.js'
import type { RecvCompletion, Transport, TransportState } from '../transport.js'

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
  /** Sends complete at once unless this is true; then {@link LoopbackTransport.completeSends} does it. */
  readonly holdCompletions?: boolean
}

export class LoopbackTransport implements Transport {
  readonly localAddress: Address
  readonly remoteAddress: Address
  readonly bufferPool: OwnedBufferPool
  readonly maxSendSize: number
  readonly recvWindow: number
  readonly capabilities = { detectsPeerCrash: true, reset: true }
  readonly chunks = new ChunkTable<Uint8Array>()
  /** Every chunk that was accepted for sending. */
  readonly sent: Uint8Array[] = []
  peer!: LoopbackTransport
  state: TransportState = 'open'
  error: NettsError | undefined
  readonly #options: LoopbackOptions
  readonly #waker = new Waker()
  readonly #inbox: Uint8Array[] = []
  // Bytes in the inbox, or handed out and not released.
  #windowUsed = 0
  #wasRefused = false
  #peerFinished = false
  #isFinished = false
  #held: (() => void)[] = []
  #completed = 0

  constructor(name: string, peerName: string, options: LoopbackOptions) {
    this.localAddress = { path: name }
    this.remoteAddress = { path: peerName }
    this.#options = options
    this.maxSendSize = options.maxSendSize ?? 65_536
    this.recvWindow = options.recvWindow ?? 1 << 20
    this.bufferPool = options.bufferPool ?? createBufferPool({ detectLeaks: true })
  }

  get waker(): (() => void) | undefined {
    return this.#waker.callback
  }

  set waker(callback: (() => void) | undefined) {
    this.#waker.callback = callback
  }

  sendCopy(data: Uint8Array): number {
    return this.sendGather([data])
  }

  sendGather(parts: readonly Uint8Array[]): number {
    const data = Buffer.concat(parts)
    if (data.byteLength === 0) throw invalidArgument('empty data', 'sendCopy')
    return this.#send(data, false, () => {})
  }

  sendBuffer(buffer: PooledBuffer, byteOffset = 0, byteLength?: number): boolean {
    const length = checkSendRange(buffer, this.bufferPool.domain, this.maxSendSize, byteOffset, byteLength)
    const data = buffer.bytes.subarray(byteOffset, byteOffset + length)
    if (this.#room(length, true) < length) return this.#refuse()
    const { bytes } = buffer
    const slot = takeSlot(buffer)
    this.#send(Buffer.from(data), true, () => {
      // Whoever still uses it sees rubbish; what an application lent is its own again.
      if (slot.slabIndex >= 0) bytes.fill(0xee)
      slot.free()
    })
    return true
  }

  pollSendCompletion(): number {
    const count = this.#completed
    this.#completed = 0
    return count
  }

  get sendsInFlight(): number {
    return this.#held.length + this.#completed
  }

  pollRecv(out: RecvCompletion[]): number {
    let count = 0
    while (count < out.length && this.#inbox.length > 0) {
      const bytes = this.#inbox[0]!
      const length = this.#options.chunk?.(bytes.byteLength) ?? bytes.byteLength
      if (length === bytes.byteLength) this.#inbox.shift()
      else this.#inbox[0] = bytes.subarray(length)
      const entry = out[count++]!
      entry.bufIdx = this.chunks.add(bytes.subarray(0, length))
      entry.byteLen = length
    }
    return count
  }

  recvBuf(bufIdx: number): Uint8Array {
    return this.chunks.get(bufIdx)
  }

  repostRecv(bufIdx: number): void {
    const chunk = this.chunks.remove(bufIdx)
    this.#windowUsed -= chunk.byteLength
    chunk.fill(0xdd)
    this.peer.wakeUp()
  }

  get recvEnded(): boolean {
    return this.#peerFinished && this.#inbox.length === 0
  }

  pollDisconnect(): boolean {
    return this.state === 'closed'
  }

  finish(): void {
    if (this.state !== 'open') return
    this.state = 'finished'
    this.#sayEnd()
  }

  disconnect(): void {
    if (this.state === 'closed' || this.state === 'disconnecting') return
    this.state = 'disconnecting'
    this.#sayEnd()
    this.#discardInput()
  }

  destroy(error?: NettsError): void {
    if (this.state === 'closed') return
    this.#close(error ?? new NettsError('ERR_NETTS_DESTROYED', 'destroyed'))
    this.peer.#close(new NettsError('ERR_NETTS_RESET', 'the peer destroyed the connection'))
  }

  /** Refused sends may succeed now. */
  wakeUp(): void {
    if (!this.#wasRefused) return
    this.#wasRefused = false
    this.#waker.wake()
  }

  /** With `holdCompletions`: completes the oldest sends. */
  completeSends(count = this.#held.length): void {
    for (const complete of this.#held.splice(0, count)) {
      complete()
      this.#completed++
    }
    this.#waker.wake()
  }

  #send(data: Buffer, whole: boolean, complete: () => void): number {
    const length = whole ? data.byteLength : this.#room(data.byteLength, false)
    if (length === 0) {
      this.#refuse()
      return 0
    }
    const taken = Uint8Array.from(data.subarray(0, length))
    this.sent.push(taken)
    this.peer.#arrive(Uint8Array.from(taken))
    this.#held.push(complete)
    if (!this.#options.holdCompletions) process.nextTick(() => this.completeSends(1))
    return length
  }

  #room(byteLength: number, whole: boolean): number {
    if (this.state === 'disconnecting' || this.#isFinished) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'finished')
    }
    if (this.state === 'closed') return 0
    const room = Math.min(byteLength, this.maxSendSize, this.peer.recvWindow - this.peer.#windowUsed)
    if (room <= 0 || (whole && room < byteLength)) return 0
    const accepted = Math.min(room, this.#options.accept?.(room) ?? room)
    return whole && accepted > 0 ? room : accepted
  }

  #refuse(): false {
    this.#wasRefused = true
    return false
  }

  #arrive(bytes: Uint8Array): void {
    if (this.state === 'disconnecting' || this.state === 'closed') return
    this.#windowUsed += bytes.byteLength
    this.#inbox.push(bytes)
    this.#waker.wake()
  }

  #sayEnd(): void {
    if (this.#isFinished) return
    this.#isFinished = true
    this.peer.#onPeerEnd()
    if (this.#peerFinished) this.#close(undefined)
  }

  #onPeerEnd(): void {
    this.#peerFinished = true
    this.#waker.wake()
    if (this.#isFinished) this.#close(undefined)
  }

  #discardInput(): void {
    for (const bytes of this.#inbox.splice(0)) this.#windowUsed -= bytes.byteLength
    this.peer.wakeUp()
  }

  #close(error: NettsError | undefined): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.error = error
    for (const complete of this.#held.splice(0)) complete()
    this.#waker.wake()
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
