/** A transport over one connected socket of node:net. */
import type { Socket } from 'node:net'
import { type BufferPool, isPathAddress, type RecvCompletion, type TransportCapabilities } from '@netts/core'
import {
  BaseTransport,
  type BufferSlot,
  ChunkTable,
  clock,
  isSaturated,
  nextTick,
  sharePool,
  type TransportEnds,
} from '@netts/core/driver'
import { type Chunk, LooseChunk } from './chunks.js'
import { endedByReset, transportFailed } from './errors.js'
import { kernelQueueBytes } from './kernel-queue.js'
import type { TcpConfig } from './options.js'
import type { ReadBuffers, ReadSink } from './read-buffers.js'
import { SendQueue } from './send-queue.js'
import { isReset, unwrittenBytes } from './socket-handle.js'

/** A send of at least this size is likely to be part of something larger, and waits for the other sends of its tick. */
const LARGE_SEND_BYTES = 32 * 1024

/** A chunk counts as at least this many bytes of the window, so that a peer that sends single bytes is bounded too. */
const LEAST_CHUNK_BYTES = 256

// The kernel of a killed process sends FIN or RST, as if the process had closed the socket. A Unix socket has no RST.
const TCP: TransportCapabilities = Object.freeze({ detectsPeerCrash: false, reset: true })
const UNIX: TransportCapabilities = Object.freeze({ detectsPeerCrash: false, reset: false })

// Listeners find their transport by the socket. Closures would cost memory for every connection.
const OWNER = Symbol('owner')
type OwnedSocket = Socket & { readonly [OWNER]: TcpTransport }

function onData(this: OwnedSocket, bytes: Buffer): void {
  this[OWNER].onRead(new LooseChunk(bytes))
}
function onEnd(this: OwnedSocket): void {
  this[OWNER].onEnd()
}
function onError(this: OwnedSocket, error: Error): void {
  this[OWNER].onError(error)
}
function onClose(this: OwnedSocket): void {
  this[OWNER].onClose()
}

/** A {@link BaseTransport} over a socket. */
export class TcpTransport extends BaseTransport implements ReadSink {
  readonly capabilities: TransportCapabilities
  readonly #socket: Socket
  readonly #config: TcpConfig
  readonly #reads: ReadBuffers | undefined
  readonly #sends: SendQueue
  readonly #handedOut = new ChunkTable<Chunk>()
  #bufferPool: BufferPool | undefined
  /** Received chunks that were not handed out yet; the next one is at `#nextChunk`. */
  #chunks: Chunk[] = []
  #nextChunk = 0
  /** How many bytes of the window are used by chunks that are queued or handed out. */
  #held = 0
  #paused = false
  /** Whether the next turn of the event loop checks if reading may continue. */
  #isWatching = false
  #isDiscarding = false
  /** Whether a write is in progress, or due at the end of the tick. */
  #writing = false
  /** Whether `socket.end()` was called: FIN follows the bytes that were written. */
  #ended = false

  /**
   * @param socket connected, with `allowHalfOpen`, not reading yet
   * @param reads the socket's own receive memory; without it, the socket emits `data`
   */
  constructor(socket: Socket, ends: TransportEnds, config: TcpConfig, reads?: ReadBuffers) {
    super(ends)
    this.#socket = socket
    this.#config = config
    this.#reads = reads
    this.#sends = new SendQueue(config.sendDepth)
    this.capabilities = isPathAddress(ends.remoteAddress) ? UNIX : TCP
    const owned = Object.assign(socket, { [OWNER]: this })
    if (reads) reads.sink = this
    else owned.on('data', onData)
    owned.on('end', onEnd)
    owned.on('error', onError)
    owned.on('close', onClose)
  }

  get bufferPool(): BufferPool {
    this.#bufferPool ??= sharePool(this.#config.bufferPool, this.#config.maxSendSize)
    return this.#bufferPool
  }
  get maxSendSize(): number {
    return this.#config.maxSendSize
  }
  get recvWindow(): number {
    return this.#config.recvWindow
  }
  ref(): void {
    this.#socket.ref()
  }
  unref(): void {
    this.#socket.unref()
  }

  // Sending.

  protected queueCopy(parts: readonly Uint8Array[]): number {
    const accepted = this.#sends.copy(parts, this.#config.maxSendSize)
    if (accepted > 0) this.#flush(accepted)
    return accepted
  }

  protected hasCapacityFor(): boolean {
    return this.#sends.hasRoom
  }

  protected queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    this.#sends.add(slot, byteOffset, byteLength)
    this.#flush(byteLength)
  }

  protected get sendsUnderWay(): number {
    return this.#sends.sends
  }

  get queuedBytes(): number {
    const { waitingBytes, batchBytes } = this.#sends
    return batchBytes === 0 ? waitingBytes : waitingBytes + Math.min(batchBytes, unwrittenBytes(this.#socket))
  }

  override unacknowledgedBytes(): number | Promise<number> {
    const { queuedBytes, localAddress, remoteAddress } = this
    if (isPathAddress(localAddress) || isPathAddress(remoteAddress)) return queuedBytes
    return kernelQueueBytes(localAddress, remoteAddress).then((bytes) => this.queuedBytes + bytes)
  }

  protected dropQueued(): void {
    this.#sends.clear()
  }

  protected sayEnd(): void {
    this.#flush(0)
  }

  /**
   * The first send of a tick leaves at once if it is small; the further sends of the tick are gathered for one write. A
   * large one waits for the others, so that the peer is woken once for all of them.
   *
   * @param byteLength the length of the send; 0 for an end
   */
  #flush(byteLength: number): void {
    if (this.#writing) return
    if (byteLength < LARGE_SEND_BYTES) {
      this.#write()
      return
    }
    this.#writing = true
    nextTick(TcpTransport.#onTick, this)
  }

  static #onTick(this: void, transport: TcpTransport): void {
    transport.#writing = false
    try {
      transport.#write()
    } catch (error) {
      transport.onThrow(error)
    }
  }

  #write(): void {
    if (this.state === 'closed') return
    if (this.#sends.hasWaiting) {
      const socket = this.#socket
      const sends = this.#sends
      const last = sends.nextBatch() - 1
      this.#writing = true
      if (last > 0) socket.cork()
      for (let i = 0; i < last; i++) socket.write(sends.piece(i))
      socket.write(sends.piece(last), this.#onWritten)
      if (last > 0) socket.uncork()
    } else if (this.saidEnd && !this.#ended) {
      this.#ended = true
      // The kernel has everything, FIN included. With an error, the socket's `error` event follows.
      this.#socket.end((error?: Error | null) => {
        if (!error) this.onEndTaken()
      })
    }
  }

  readonly #onWritten = (error?: Error | null): void => {
    // With an error, the socket's `error` event follows.
    if (error || this.state === 'closed') return
    try {
      this.#writing = false
      const isNews = this.completeSends(this.#sends.completeBatch())
      this.#write()
      if (isNews) this.wakeNow()
    } catch (error) {
      this.onThrow(error)
    }
  }

  // Receiving.

  /** Starts reading. A server's connection is not read before it is accepted, so that it holds no memory while it waits. */
  start(): void {
    this.#resume()
  }

  pollRecv(out: RecvCompletion[]): number {
    const count = Math.min(out.length, this.#chunks.length - this.#nextChunk)
    for (let i = 0; i < count; i++) {
      const chunk = this.#chunks[this.#nextChunk++]!
      const completion = out[i]!
      completion.chunkIndex = this.#handedOut.add(chunk)
      completion.byteLength = chunk.bytes.length
    }
    if (count > 0 && this.#nextChunk === this.#chunks.length) {
      // One chunk at a time, as with request and answer, needs no new array.
      if (this.#nextChunk === 1) this.#chunks.pop()
      else this.#chunks = []
      this.#nextChunk = 0
      if (this.#paused) this.#resumeIfRoom()
    }
    return count
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.#handedOut.get(chunkIndex).bytes
  }

  repostRecv(chunkIndex: number): void {
    const chunk = this.#handedOut.remove(chunkIndex)
    this.#held -= windowCost(chunk)
    chunk.free()
    if (this.#paused) this.#resumeIfRoom()
  }

  protected get hasUnpolled(): boolean {
    return this.#nextChunk < this.#chunks.length
  }

  protected discardInput(): void {
    this.#isDiscarding = true
    for (let i = this.#nextChunk; i < this.#chunks.length; i++) {
      this.#held -= windowCost(this.#chunks[i]!)
      this.#chunks[i]!.free()
    }
    this.#chunks = []
    this.#nextChunk = 0
    if (this.#paused && this.state === 'disconnecting') this.#resume()
  }

  /** The socket read something; see {@link ReadSink}. */
  onRead(chunk: Chunk): void {
    if (this.#isDiscarding || this.state === 'closed') {
      chunk.free()
      return
    }
    this.#chunks.push(chunk)
    this.#held += windowCost(chunk)
    this.wakeNow()
    if (!this.#hasRoom || this.#isLeftToKernel) this.#pause()
  }

  get #hasRoom(): boolean {
    return this.#held < this.#config.recvWindow
  }

  /** Whether received chunks will not be polled in this turn: then the rest is left in the kernel. */
  get #isLeftToKernel(): boolean {
    return this.hasUnpolled && isSaturated()
  }

  #pause(): void {
    if (this.#paused || this.#isDiscarding) return
    this.#paused = true
    this.#socket.pause()
    if (this.#isLeftToKernel) this.#watchSaturation()
  }

  /** Polling resumes reading. In case the program does not poll, each turn checks whether the saturation is over. */
  #watchSaturation(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    clock.setImmediate(() => {
      this.#isWatching = false
      if (!this.#paused || this.state === 'closed') return
      this.#resumeIfRoom()
      if (this.#paused && this.#hasRoom) this.#watchSaturation()
    })
  }

  #resumeIfRoom(): void {
    if (this.#hasRoom && !this.#isLeftToKernel) this.#resume()
  }

  #resume(): void {
    this.#paused = false
    this.#socket.resume()
  }

  // The end.

  /** The socket read the peer's end. */
  onEnd(): void {
    // After this side has ended too, the kernel does not distinguish the two.
    if (!this.#ended && this.capabilities.reset && isReset(this.#socket)) {
      this.#socket.destroy()
      this.onFailure(endedByReset(this.remoteAddress))
    } else {
      this.onPeerEnd()
    }
  }

  /** The socket failed. */
  onError(error: Error): void {
    this.onFailure(transportFailed(error, this.remoteAddress))
  }

  /** The socket is closed: both directions have ended, or it was destroyed. */
  onClose(): void {
    // Not before: a reset may have to wait, and until then the socket continues to read into its last block.
    this.#reads?.close()
    this.onFailure(undefined)
  }

  protected release(): void {
    this.#socket.destroy()
  }

  /** Closes the socket with a reset; over a Unix domain socket, which has none, with an end. */
  protected cut(): void {
    const socket = this.#socket
    if (!this.capabilities.reset) {
      socket.destroy()
    } else if (this.#ended && !socket.writableFinished) {
      // libuv refuses a reset while a shutdown is pending (uv_tcp_close_reset), for one turn of the event loop.
      socket.once('finish', () => socket.resetAndDestroy())
    } else {
      socket.resetAndDestroy()
    }
  }
}

function windowCost({ bytes }: Chunk): number {
  return Math.max(bytes.length, LEAST_CHUNK_BYTES)
}
