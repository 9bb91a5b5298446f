/** A transport over a Duplex of node:stream. */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { BufferPool, NettsError, RecvCompletion, TransportCapabilities } from '@netts/core'
import {
  BaseTransport,
  type BufferSlot,
  clock,
  KeepAlive,
  nextTick,
  sharePool,
  type TransportEnds,
} from '@netts/core/driver'
import { takeTurn } from '@netts/core/lifecycle'
import { duplexClosed, duplexFailed } from './failure.js'
import { Incoming } from './incoming.js'
import type { DuplexConfig } from './limits.js'
import { Outgoing } from './outgoing.js'

/** A send of at least this size is likely to be part of something larger, and waits for the other sends of its tick. */
const LARGE_SEND_BYTES = 32 * 1024

/** Keeps the process alive for streams that have no handle in the event loop. */
const presence = new KeepAlive()

/** The methods of a stream that has a handle in the event loop. */
interface Referable {
  ref?: () => unknown
  unref?: () => unknown
}

/**
 * A {@link BaseTransport} over a Duplex, for {@link transportFromDuplex} and for drivers whose wire ends in a Duplex. Such a
 * driver extends it, overrides the protected methods for what is different about its Duplex, and calls {@link start} once.
 *
 * Errors of the Duplex may come at any time; after the transport is closed they are ignored.
 */
export class DuplexTransport extends BaseTransport {
  readonly capabilities: TransportCapabilities
  /** The Duplex, which belongs to the transport. */
  protected readonly duplex: Duplex
  readonly #config: DuplexConfig
  /**
   * A `net.Socket` has taken the bytes of a write when it calls back, and emits no event from inside a method. Any other
   * stream may pass on the memory that it was given, and may emit events from inside its methods.
   */
  readonly #isSocket: boolean
  readonly #incoming: Incoming
  readonly #outgoing: Outgoing
  #bufferPool: BufferPool | undefined
  #isPaused = false
  #isDiscarding = false
  /** Whether the sends of this tick wait for its end. */
  #isWriteDue = false
  /** Whether `end` was called. */
  #isEnded = false
  #holdsProcess = false

  /**
   * @param duplex a Duplex of bytes that is connected and not ended; it belongs to the transport from here on
   * @param ends the addresses at both ends
   * @param capabilities what the Duplex can report about its peer
   * @param config limits, checked by {@link checkDuplexLimits}
   */
  constructor(
    duplex: Duplex,
    ends: TransportEnds,
    capabilities: TransportCapabilities,
    config: DuplexConfig,
  ) {
    super(ends)
    this.duplex = duplex
    this.capabilities = capabilities
    this.#config = config
    this.#isSocket = duplex instanceof Socket
    this.#incoming = new Incoming(config.recvWindow)
    this.#outgoing = new Outgoing(config.sendDepth)
  }

  /** Adds the listeners and begins to read. Call it once, after the constructor. */
  start(): void {
    const { duplex } = this
    duplex.allowHalfOpen = true
    duplex.on('data', (bytes: Buffer) => this.#onData(bytes))
    duplex.on('end', () => this.onEnd())
    duplex.on('error', (error) => this.onError(error))
    duplex.on('close', () => this.onClose())
    this.ref()
    if (duplex.readableEnded) this.onPeerEnd()
    else this.resumeInput()
  }

  // What a driver over another kind of Duplex can override.

  /** The Duplex emitted `end`. Reports the peer's end. */
  protected onEnd(): void {
    this.onPeerEnd()
  }

  /** The Duplex emitted `error`. Fails the transport with `ERR_NETTS_PEER_LOST`, `ERR_NETTS_RESET`, or the NettsError. */
  protected onError(error: Error): void {
    this.onFailure(duplexFailed(error, this.remoteAddress))
  }

  /** The Duplex emitted `close`. Fails the transport with `ERR_NETTS_RESET`, unless both sides had ended. */
  protected onClose(): void {
    this.#outgoing.dropBatch()
    this.onFailure(duplexClosed(this.remoteAddress))
  }

  /** The Duplex has taken everything that was written, and the end after it. */
  protected onFinish(): void {
    this.onEndTaken()
  }

  /** Stops the Duplex from emitting `data`, because the receive window is full. */
  protected pauseInput(): void {
    this.duplex.pause()
  }

  /** Lets the Duplex emit `data` again. */
  protected resumeInput(): void {
    this.duplex.resume()
  }

  protected cut(error: NettsError): void {
    this.duplex.destroy(error)
  }

  protected release(): void {
    this.duplex.destroy()
  }

  ref(): void {
    if (this.state === 'closed') return
    const { ref } = this.duplex as Referable
    if (typeof ref === 'function') ref.call(this.duplex)
    else if (!this.#holdsProcess) {
      this.#holdsProcess = true
      presence.hold()
    }
  }

  unref(): void {
    const { unref } = this.duplex as Referable
    if (typeof unref === 'function') unref.call(this.duplex)
    this.#letGo()
  }

  #letGo(): void {
    if (!this.#holdsProcess) return
    this.#holdsProcess = false
    presence.release()
  }

  // Sending.

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

  get queuedBytes(): number {
    return this.state === 'closed' ? 0 : this.#outgoing.queuedBytes
  }

  protected get sendsUnderWay(): number {
    return this.#outgoing.sends
  }

  protected hasCapacityFor(): boolean {
    return this.#outgoing.hasRoom
  }

  protected queueCopy(parts: readonly Uint8Array[]): number {
    if (!this.#outgoing.hasRoom) return 0
    const accepted = this.#outgoing.copy(parts, this.maxSendSize)
    this.#flush(accepted)
    return accepted
  }

  protected queueSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    if (this.#isSocket) {
      this.#outgoing.add(slot, byteOffset, byteLength)
    } else {
      const begin = slot.byteOffset + byteOffset
      this.#outgoing.copy([slot.slab.subarray(begin, begin + byteLength)], byteLength)
      slot.free()
    }
    this.#flush(byteLength)
  }

  protected dropQueued(): void {
    this.#outgoing.dropWaiting()
    this.#letGo()
  }

  protected sayEnd(): void {
    this.#flush(0)
  }

  /**
   * The first send of a tick leaves at once if it is small, and the next ones are gathered. A large one waits for the next.
   * @param byteLength the length of the send; 0 for an end
   */
  #flush(byteLength: number): void {
    if (this.#isWriteDue || !this.#outgoing.isBatchTaken) return
    if (this.#isSocket && byteLength < LARGE_SEND_BYTES) {
      this.#write()
      return
    }
    this.#isWriteDue = true
    nextTick(DuplexTransport.#onTick, this)
  }

  static #onTick(this: void, transport: DuplexTransport): void {
    transport.#isWriteDue = false
    try {
      transport.#write()
    } catch (error) {
      transport.onThrow(error)
    }
  }

  #write(): void {
    if (this.state === 'closed') return
    const { duplex } = this
    if (this.#outgoing.hasWaiting) {
      const batch = this.#outgoing.nextBatch()
      if (batch.length > 1) duplex.cork()
      for (const send of batch) duplex.write(send.bytes, this.#onWritten)
      if (batch.length > 1) duplex.uncork()
    } else if (this.saidEnd && !this.#isEnded) {
      this.#isEnded = true
      // With an error, the stream's `error` or `close` event follows.
      duplex.end((error?: Error | null) => {
        if (!error) this.onFinish()
      })
    }
  }

  readonly #onWritten = (error?: Error | null): void => {
    try {
      const send = this.#outgoing.take()
      // With an error, the stream's `error` or `close` event follows.
      if (error || this.state === 'closed') return
      send?.checkMemory()
      const isNews = this.completeSends(1)
      if (this.#outgoing.isBatchTaken && !this.#isWriteDue) this.#write()
      if (isNews) this.#wake()
    } catch (error) {
      this.onThrow(error)
    }
  }

  // Receiving.

  pollRecv(out: RecvCompletion[]): number {
    return this.#incoming.poll(out)
  }

  recvBuf(chunkIndex: number): Uint8Array {
    return this.#incoming.get(chunkIndex)
  }

  repostRecv(chunkIndex: number): void {
    const wasHandedOut = this.#incoming.isHandedOut
    this.#incoming.release(chunkIndex)
    // Chunks that were not handed out because the window was used up can be polled now.
    if (wasHandedOut && this.#incoming.hasUnpolled) this.wake()
    if (this.#isPaused && !this.#incoming.isFull) this.#resume()
  }

  protected get hasUnpolled(): boolean {
    return this.#incoming.hasUnpolled
  }

  protected discardInput(): void {
    this.#isDiscarding = true
    this.#incoming.discard()
    if (this.#isPaused && this.state === 'disconnecting') this.#resume()
  }

  #onData(bytes: Buffer): void {
    if (this.#isDiscarding || this.state === 'closed' || bytes.byteLength === 0) return
    this.#incoming.push(bytes)
    if (this.#incoming.isFull) {
      this.#isPaused = true
      this.pauseInput()
    }
    this.#wake()
  }

  #resume(): void {
    this.#isPaused = false
    this.resumeInput()
  }

  /**
   * Calls the waker at once for a socket, since none of its methods can be on the stack. Streams in memory could answer
   * each other for ever within one turn of the event loop; for these the waker waits for the next turn from time to time.
   */
  #wake(): void {
    if (this.#isSocket) this.wakeNow()
    else if (takeTurn()) this.wake()
    else clock.setImmediate(() => this.wakeNow())
  }
}
