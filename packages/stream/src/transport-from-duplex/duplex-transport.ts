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

/** From so many bytes on, a send is likely to be a part of something larger, and waits for what follows in its tick. */
const LARGE_SEND_BYTES = 32 * 1024

/** For streams that have no handle in the event loop. */
const presence = new KeepAlive()

/** What a stream with a handle in the event loop has. */
interface Referable {
  ref?: () => unknown
  unref?: () => unknown
}

/**
 * See {@link BaseTransport}. The stream's errors may come at any time, and are none of its own doing any more once it is
 * closed. A driver whose wire ends in a Duplex extends it.
 */
export class DuplexTransport extends BaseTransport {
  readonly capabilities: TransportCapabilities
  protected readonly duplex: Duplex
  readonly #config: DuplexConfig
  /**
   * A socket has taken the bytes of a write once it calls back, and emits nothing from inside of a method. Any other
   * stream may hand on the very memory that it was given, and emit whenever it is touched.
   */
  readonly #isSocket: boolean
  readonly #incoming: Incoming
  readonly #outgoing: Outgoing
  #bufferPool: BufferPool | undefined
  #isPaused = false
  #isDiscarding = false
  /** Sends of this tick wait for its end. */
  #isWriteDue = false
  /** `end` was called. */
  #isEnded = false
  #holdsProcess = false

  /** @param duplex checked */
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

  /** Takes the stream over, and begins to read. */
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

  // What a driver over another kind of Duplex states differently.

  /** The stream ended its readable side. */
  protected onEnd(): void {
    this.onPeerEnd()
  }

  /** The stream failed. */
  protected onError(error: Error): void {
    this.onFailure(duplexFailed(error, this.remoteAddress))
  }

  /** The stream is closed. */
  protected onClose(): void {
    this.#outgoing.dropBatch()
    this.onFailure(duplexClosed(this.remoteAddress))
  }

  /** The stream took everything, and the end behind it. */
  protected onFinish(): void {
    this.onEndTaken()
  }

  protected pauseInput(): void {
    this.duplex.pause()
  }

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
   * A small first send of a tick leaves at once, and what follows gathers behind it. A large one waits for what follows.
   * @param byteLength of the send; 0 for an end
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
    // What was withheld can be polled now.
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
   * At once where nobody's method can be on the stack. Streams in memory may answer each other within one turn for ever:
   * so that the event loop gets on, the waker waits for the next one now and then.
   */
  #wake(): void {
    if (this.#isSocket) this.wakeNow()
    else if (takeTurn()) this.wake()
    else clock.setImmediate(() => this.wakeNow())
  }
}
