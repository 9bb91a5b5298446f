/** A transport over one connected socket of node:net. */
import type { Socket } from 'node:net'
import {
  type Address,
  NettsError,
  type PooledBuffer,
  type RecvCompletion,
  type Transport,
  type TransportCapabilities,
  type TransportState,
} from '@netts/core'
import { ChunkTable, checkSendRange, invalidArgument, takeSlot, Waker } from '@netts/core/driver'
import type { Ends } from './addresses.js'
import { type Chunk, LooseChunk } from './chunks.js'
import { transportFailed } from './errors.js'
import type { TcpConfig } from './options.js'
import type { ReadBuffers, ReadSink } from './read-buffers.js'
import { SendQueue } from './send-queue.js'

// Captured, so that a test runner's fake timers don't freeze transports.
const { nextTick } = process

/** From so many bytes on, a send is likely to be a part of something larger, and the turn in a queue costs little. */
const LARGE_SEND_BYTES = 32 * 1024

/** How long `disconnect` waits, for the kernel to take another byte and then for the peer's end. */
const DISCONNECT_MS = 5000

/** A chunk counts as at least so many bytes of the window, so that a peer sending single bytes is bounded too. */
const LEAST_CHUNK_BYTES = 256

// A killed peer's kernel says FIN or RST for it, as if it had meant to; a Unix socket has no RST.
const TCP: TransportCapabilities = Object.freeze({ detectsPeerCrash: false, reset: true })
const UNIX: TransportCapabilities = Object.freeze({ detectsPeerCrash: false, reset: false })

// Listeners find their transport by the socket: a closure for each would be memory of every connection.
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

/** See {@link Transport}. */
export class TcpTransport implements Transport, ReadSink {
  readonly #socket: Socket
  readonly #config: TcpConfig
  readonly #reads: ReadBuffers | undefined
  readonly #waker = new Waker()
  readonly #sends: SendQueue
  readonly #handedOut = new ChunkTable<Chunk>()
  /** Received and not handed out yet; the next one is at `#nextChunk`. */
  #chunks: Chunk[] = []
  #nextChunk = 0
  /** What of the window is used by chunks that are queued or handed out. */
  #held = 0
  #paused = false
  #peerEnded = false
  /** A write is under way, or due at the end of the tick. */
  #writing = false
  /** `socket.end()` was called: FIN follows what was written. */
  #ended = false
  #completed = 0
  /** A send was refused, or a poll for completions was empty: the waker tells of the next one. */
  #awaitsCompletion = false
  #state: TransportState = 'open'
  /** This side said finish, disconnect or destroy: sending is misuse from then on. */
  #saidEnd = false
  #error: NettsError | undefined
  #disconnectTimer: NodeJS.Timeout | undefined

  readonly localAddress: Address
  readonly remoteAddress: Address
  readonly capabilities: TransportCapabilities

  /**
   * @param socket connected, half-open allowed, not reading yet
   * @param reads the socket's own receive memory; without, it emits `data`
   */
  constructor(socket: Socket, ends: Ends, config: TcpConfig, reads?: ReadBuffers) {
    this.#socket = socket
    this.#config = config
    this.#reads = reads
    this.#sends = new SendQueue(config.sendDepth)
    this.localAddress = ends.localAddress
    this.remoteAddress = ends.remoteAddress
    this.capabilities = 'path' in ends.remoteAddress ? UNIX : TCP
    const owned = Object.assign(socket, { [OWNER]: this })
    if (reads) reads.sink = this
    else owned.on('data', onData)
    owned.on('end', onEnd)
    owned.on('error', onError)
    owned.on('close', onClose)
  }

  get state(): TransportState {
    return this.#state
  }
  get error(): NettsError | undefined {
    return this.#error
  }
  get bufferPool() {
    return this.#config.bufferPool
  }
  get maxSendSize(): number {
    return this.#config.maxSendSize
  }
  get recvWindow(): number {
    return this.#config.recvWindow
  }
  get waker(): (() => void) | undefined {
    return this.#waker.callback
  }
  set waker(callback: (() => void) | undefined) {
    this.#waker.callback = callback
  }

  sendCopy(data: Uint8Array): number {
    if (!(data instanceof Uint8Array)) throw invalidArgument('data must be a Uint8Array', 'sendCopy')
    if (data.byteLength === 0) throw invalidArgument('data is empty', 'sendCopy')
    return this.#copy([data], 'sendCopy')
  }

  sendGather(parts: readonly Uint8Array[]): number {
    if (!Array.isArray(parts)) throw invalidArgument('parts must be an array', 'sendGather')
    let empty = true
    for (const part of parts) {
      if (!(part instanceof Uint8Array)) throw invalidArgument('parts must be Uint8Arrays', 'sendGather')
      if (part.byteLength > 0) empty = false
    }
    if (empty) throw invalidArgument('every part is empty', 'sendGather')
    return this.#copy(parts, 'sendGather')
  }

  sendBuffer(buffer: PooledBuffer, byteOffset = 0, byteLength?: number): boolean {
    const { bufferPool, maxSendSize } = this.#config
    const length = checkSendRange(buffer, bufferPool.domain, maxSendSize, byteOffset, byteLength)
    if (!this.#checkOpen('sendBuffer') || !this.#sends.hasRoom) {
      this.#awaitsCompletion = true
      return false
    }
    this.#sends.add(takeSlot(buffer), byteOffset, length)
    this.#flush(length)
    return true
  }

  pollSendCompletion(): number {
    const completed = this.#completed
    this.#completed = 0
    if (completed === 0) this.#awaitsCompletion = true
    return completed
  }

  get sendsInFlight(): number {
    return this.#state === 'closed' ? 0 : this.#sends.sends + this.#completed
  }

  pollRecv(out: RecvCompletion[]): number {
    const count = Math.min(out.length, this.#chunks.length - this.#nextChunk)
    for (let i = 0; i < count; i++) {
      const chunk = this.#chunks[this.#nextChunk++]!
      const completion = out[i]!
      completion.chunkIndex = this.#handedOut.add(chunk)
      completion.byteLength = chunk.bytes.byteLength
    }
    if (count > 0 && this.#nextChunk === this.#chunks.length) {
      // One at a time, as in a dialogue, needs no new array.
      if (this.#nextChunk === 1) this.#chunks.pop()
      else this.#chunks = []
      this.#nextChunk = 0
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
    if (this.#paused && this.#held < this.#config.recvWindow) this.#resume()
  }

  get recvEnded(): boolean {
    return this.#peerEnded && this.#nextChunk === this.#chunks.length
  }

  pollDisconnect(): boolean {
    return this.#state === 'closed'
  }

  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'finished'
    this.#saidEnd = true
    this.#flush(0)
  }

  disconnect(): void {
    if (this.#state !== 'open' && this.#state !== 'finished') return
    this.#state = 'disconnecting'
    this.#saidEnd = true
    this.#restartDisconnectTimer()
    this.#flush(0)
    if (this.#paused) this.#resume()
  }

  destroy(error?: NettsError): void {
    this.#saidEnd = true
    if (this.#state === 'closed') return
    this.#error = error ?? new NettsError('ERR_NETTS_DESTROYED', 'the transport was destroyed')
    this.#reset()
    this.#close()
  }

  /** Starts reading: a server's connection waits unread until it is accepted, so that waiting ones need no memory. */
  start(): void {
    this.#resume()
  }

  /** @returns whether sending makes sense; not so after a failure */
  #checkOpen(operation: string): boolean {
    if (this.#saidEnd) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', `${operation} after finish, disconnect or destroy`, {
        operation,
      })
    }
    return this.#state === 'open'
  }

  #copy(parts: readonly Uint8Array[], operation: string): number {
    if (!this.#checkOpen(operation)) return 0
    const accepted = this.#sends.copy(parts, this.#config.maxSendSize)
    if (accepted > 0) this.#flush(accepted)
    else this.#awaitsCompletion = true
    return accepted
  }

  /**
   * A small first send of a tick leaves at once, and what follows in the same tick gathers behind it, for one write.
   * A large one waits for what follows: the peer is woken once for all of it.
   *
   * @param byteLength of the send; 0 for an end
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
    transport.#write()
  }

  #write(): void {
    if (this.#state === 'closed') return
    if (this.#sends.hasWaiting) {
      const socket = this.#socket
      const sends = this.#sends
      const last = sends.nextBatch() - 1
      this.#writing = true
      if (last > 0) socket.cork()
      for (let i = 0; i < last; i++) socket.write(sends.piece(i))
      socket.write(sends.piece(last), this.#onWritten)
      if (last > 0) socket.uncork()
    } else if (this.#state !== 'open' && !this.#ended) {
      this.#ended = true
      this.#socket.end()
    }
    if (this.#state === 'disconnecting') this.#restartDisconnectTimer()
  }

  readonly #onWritten = (error?: Error | null): void => {
    // With an error, the socket's `error` event follows.
    if (error || this.#state === 'closed') return
    this.#writing = false
    this.#completed += this.#sends.completeBatch()
    this.#write()
    if (!this.#awaitsCompletion) return
    this.#awaitsCompletion = false
    this.#waker.wakeNow()
  }

  /** The socket read something; see {@link ReadSink}. */
  onRead(chunk: Chunk): void {
    if (this.#state === 'disconnecting' || this.#state === 'closed') {
      chunk.free()
      return
    }
    this.#chunks.push(chunk)
    this.#held += windowCost(chunk)
    if (this.#held >= this.#config.recvWindow) {
      this.#paused = true
      this.#socket.pause()
    }
    this.#waker.wakeNow()
  }

  #resume(): void {
    this.#paused = false
    this.#socket.resume()
  }

  /** The socket read the peer's end. */
  onEnd(): void {
    this.#peerEnded = true
    this.#waker.wakeNow()
  }

  /** The socket failed. */
  onError(error: Error): void {
    this.#fail(transportFailed(error, this.remoteAddress))
  }

  /** The socket is closed: both directions have ended, or it was destroyed. */
  onClose(): void {
    // Not before: a reset may have to wait, and until then the socket reads on into the block it was given last.
    this.#reads?.close()
    if (this.#state !== 'closed') this.#close()
  }

  #fail(error: NettsError): void {
    if (this.#state === 'closed') return
    this.#error = error
    this.#close()
  }

  #close(): void {
    this.#state = 'closed'
    clearTimeout(this.#disconnectTimer)
    this.#sends.clear()
    this.#waker.wake()
  }

  #restartDisconnectTimer(): void {
    clearTimeout(this.#disconnectTimer)
    const unwritten = unwrittenBytes(this.#socket)
    this.#disconnectTimer = setTimeout(() => this.#onDisconnectTimeout(unwritten), DISCONNECT_MS)
  }

  #onDisconnectTimeout(unwrittenBefore: number): void {
    if (unwrittenBytes(this.#socket) < unwrittenBefore) {
      this.#restartDisconnectTimer()
      return
    }
    const unsent = this.#sends.sends > 0
    if (unsent) {
      this.#error = new NettsError(
        'ERR_NETTS_TIMEOUT',
        `the peer took none of what was sent for ${DISCONNECT_MS} ms; the rest of it is lost`,
        { operation: 'disconnect', address: this.remoteAddress },
      )
      this.#reset()
    } else {
      this.#socket.destroy()
    }
    this.#close()
  }

  /** Closes the socket so that the peer learns it as an error, where there is such a thing. */
  #reset(): void {
    const socket = this.#socket
    if (!this.capabilities.reset) {
      socket.destroy()
    } else if (this.#ended && !socket.writableFinished) {
      // libuv refuses a reset while it is about to shut down (uv_tcp_close_reset), for one turn of the loop.
      socket.once('finish', () => socket.resetAndDestroy())
    } else {
      socket.resetAndDestroy()
    }
  }
}

/**
 * What the kernel has not taken yet of the batch being written. Not in the documentation of node:net, which uses it
 * for timeouts of its own; without it, only whole batches count as progress.
 */
function unwrittenBytes(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null }
  return handle?.writeQueueSize ?? 0
}

function windowCost({ bytes }: Chunk): number {
  return Math.max(bytes.byteLength, LEAST_CHUNK_BYTES)
}
