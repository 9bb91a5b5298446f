/** One end of a connection over a MessagePort: what is particular to this wire. BaseTransport does the rest. */
import type { MessagePort } from 'node:worker_threads'
import {
  type BufferPool,
  createBufferPool,
  type HostAddress,
  NettsError,
  type RecvCompletion,
} from '@netts/core'
import { BaseTransport, type BufferSlot, ChunkTable, type TransportEnds } from '@netts/core/driver'

/** A message between both ends: bytes, their arrival, room that is free again, the end, its arrival, or a reset. */
type Message = Uint8Array | 'arrived' | { readonly released: number } | 'end' | 'end arrived' | 'reset'

const MAX_SEND_SIZE = 16 * 1024
const RECV_WINDOW = 256 * 1024
const buffers = createBufferPool()

/** Made in pairs, by the builder. */
export class ChannelTransport extends BaseTransport<HostAddress> {
  // There is no keepalive, so a crash of the peer is not always detected. `destroy` sends 'reset'.
  readonly capabilities = Object.freeze({ detectsPeerCrash: false, reset: true })
  readonly bufferPool: BufferPool = buffers
  readonly maxSendSize = MAX_SEND_SIZE
  readonly recvWindow = RECV_WINDOW
  readonly #port: MessagePort
  /** The lengths of the sends that have not arrived yet, in order. */
  readonly #underWay: number[] = []
  readonly #arrived: Uint8Array[] = []
  readonly #handedOut = new ChunkTable<Uint8Array>()
  /** How many more bytes the peer has room for. It bounds the peer's memory. */
  #peerRoom = RECV_WINDOW
  #isDiscarding = false
  #hasPeerEnded = false
  /** Whether the peer finished, and then closed its port without waiting for this end. */
  #isPeerGone = false

  constructor(port: MessagePort, ends: TransportEnds<HostAddress>) {
    super(ends)
    this.#port = port
    port.on('message', (message: Message) => this.#onMessage(message))
    port.on('close', () => this.#onClose())
  }

  // Sending.

  get queuedBytes(): number {
    return this.#underWay.reduce((sum, byteLength) => sum + byteLength, 0)
  }

  protected get sendsUnderWay(): number {
    return this.#underWay.length
  }

  protected hasCapacityFor(byteLength: number): boolean {
    if (this.#isPeerGone) this.onFailure(reset('the peer has closed the connection', this.remoteAddress))
    return !this.#isPeerGone && this.#peerRoom >= byteLength
  }

  protected queueCopy(parts: readonly Uint8Array[]): number {
    if (!this.hasCapacityFor(1)) return 0
    let total = 0
    for (const part of parts) total += part.byteLength
    const bytes = new Uint8Array(Math.min(total, MAX_SEND_SIZE, this.#peerRoom))
    let filled = 0
    for (const part of parts) {
      const piece = part.subarray(0, bytes.byteLength - filled)
      bytes.set(piece, filled)
      filled += piece.byteLength
    }
    this.#post(bytes)
    return filled
  }

  protected queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    const begin = slot.byteOffset + byteOffset
    this.#post(new Uint8Array(slot.slab.subarray(begin, begin + byteLength)))
    slot.free()
  }

  #post(bytes: Uint8Array<ArrayBuffer>): void {
    this.#peerRoom -= bytes.byteLength
    this.#underWay.push(bytes.byteLength)
    this.#port.postMessage(bytes, [bytes.buffer])
  }

  // Receiving.

  #onMessage(message: Message): void {
    if (message instanceof Uint8Array) this.#onBytes(message)
    else if (message === 'arrived') this.#onArrived()
    else if (message === 'end') this.#onEnd()
    else if (message === 'end arrived') this.onEndTaken()
    else if (message === 'reset')
      this.onFailure(reset('the peer destroyed the connection', this.remoteAddress))
    else {
      this.#peerRoom += message.released
      this.wake()
    }
  }

  #onBytes(bytes: Uint8Array): void {
    this.#port.postMessage('arrived')
    if (this.#isDiscarding) {
      this.#release(bytes)
    } else {
      this.#arrived.push(bytes)
      this.wake()
    }
  }

  #onArrived(): void {
    // A closed transport has dropped its sends.
    if (this.#underWay.shift() !== undefined && this.completeSends(1)) this.wake()
  }

  #onEnd(): void {
    this.#port.postMessage('end arrived')
    this.#hasPeerEnded = true
    this.onPeerEnd()
  }

  #onClose(): void {
    this.#isPeerGone = this.#hasPeerEnded
    if (!this.#hasPeerEnded) this.onFailure(reset('the peer closed its port', this.remoteAddress))
    else if (this.saidEnd) this.onEndTaken()
  }

  #release(bytes: Uint8Array): void {
    this.#port.postMessage({ released: bytes.byteLength })
  }

  pollRecv(out: RecvCompletion[]): number {
    const chunks = this.#arrived.splice(0, out.length)
    chunks.forEach((chunk, index) => {
      out[index]!.chunkIndex = this.#handedOut.add(chunk)
      out[index]!.byteLength = chunk.byteLength
    })
    return chunks.length
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.#handedOut.get(chunkIndex)
  }

  repostRecv(chunkIndex: number): void {
    this.#release(this.#handedOut.remove(chunkIndex))
  }

  protected get hasUnpolled(): boolean {
    return this.#arrived.length > 0
  }

  protected discardInput(): void {
    this.#isDiscarding = true
    for (const bytes of this.#arrived.splice(0)) this.#release(bytes)
  }

  // Ending.

  protected sayEnd(): void {
    if (this.#isPeerGone) this.onEndTaken()
    else this.#port.postMessage('end')
  }

  protected cut(): void {
    this.#port.postMessage('reset')
    this.#port.close()
  }

  protected release(): void {
    this.#port.close()
  }

  protected dropQueued(): void {
    this.#underWay.length = 0
  }

  ref(): void {
    this.#port.ref()
  }

  unref(): void {
    this.#port.unref()
  }
}

function reset(message: string, address: HostAddress): NettsError {
  return new NettsError('ERR_NETTS_RESET', message, { address })
}
