/** The sending half of a connection: frames messages, hands them to the transport in order, and waits for room. */
import { types } from 'node:util'
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { headroomOf, isPooledBuffer, setHeadroom } from '../buffer-pool/buffer-slot.js'
import { WaitQueue } from '../driver/wait-queue.js'
import { aborted, invalidArgument, NettsError } from '../errors.js'
import type { Transport } from '../transport.js'
import { CoalescingChunk } from './coalescing-chunk.js'
import { HEADER_BYTES, writeHeader } from './framing.js'

// Captured, so that a test runner's fake timers don't freeze connections.
const { nextTick } = process

/** A message that could not leave at once, and how far it got. */
interface PendingMessage {
  readonly payload: Uint8Array
  /** Where the payload lies, if in a pooled buffer; `undefined` once the transport has it. */
  buffer: PooledBuffer | undefined
  /** Bytes of header and payload that are on their way; from the first on it can't be cancelled. */
  sentBytes: number
  /** Counted as sent already, and nobody waits for it: trySend began it. */
  readonly isAccepted: boolean
}

/** What a flush waits for. */
interface FlushTarget {
  /** The position in the outgoing bytes up to which everything must be posted. */
  readonly bytePosition: number
  /** Known once that is posted: how many sends must be complete. */
  sends: number | undefined
}

/** What every send that needs no waiting returns. */
export const ACCEPTED = Promise.resolve()
const nothing = () => {}

/** Hands messages to a transport, for as long as its owner does not {@link stop} it. */
export class Sender {
  messagesSent = 0
  bytesSent = 0
  postedSends = 0
  zeroCopySends = 0
  readonly #transport: Transport
  readonly #maxMessageSize: number
  readonly #chunk: CoalescingChunk
  readonly #maxSmallPayload: number
  readonly #header = new Uint8Array(HEADER_BYTES)
  readonly #gather: Uint8Array[] = [this.#header, this.#header]
  readonly #pending = new WaitQueue<void, PendingMessage>('send', releaseBuffer)
  readonly #flushes = new WaitQueue<void, FlushTarget>('flush')
  readonly #onRefusedForEver: () => void
  // The transport refused; nothing is tried again until its waker says so.
  #isBlocked = false
  #isFlushScheduled = false
  #acceptedBytes = 0
  #postedBytes = 0
  #completedSends = 0

  /** @param onRefusedForEver called when the transport refused a send because it is closed */
  constructor(transport: Transport, maxMessageSize: number, onRefusedForEver: () => void) {
    this.#transport = transport
    this.#maxMessageSize = maxMessageSize
    this.#chunk = new CoalescingChunk(transport)
    this.#maxSmallPayload = Math.min(maxMessageSize, this.#chunk.capacity - HEADER_BYTES)
    this.#onRefusedForEver = onRefusedForEver
  }

  /** Whether the transport has everything that was ever asked to be sent. */
  get isIdle(): boolean {
    return this.#pending.length === 0 && this.#chunk.byteLength === 0
  }

  /** See `Connection.trySend`. */
  trySend(data: Uint8Array | PooledBuffer): boolean {
    if (data instanceof Uint8Array && data.byteLength <= this.#maxSmallPayload) {
      if (this.#pending.length > 0 || !this.#append(data)) return false
      this.#onAccepted(data.byteLength)
      return true
    }
    const message = this.#check(data)
    const { byteLength } = message.payload
    if (this.#pending.length > 0) return false
    if (!this.#advance(message)) {
      if (message.sentBytes === 0) return false
      // It has begun and can't be taken back: the rest stays here and goes before anything else.
      const payload = message.buffer ? message.payload : new Uint8Array(message.payload)
      this.#pending.add({ ...message, payload, isAccepted: true }, undefined, nothing, nothing)
    }
    this.#onAccepted(byteLength)
    return true
  }

  /** See `Connection.send`. */
  send(data: Uint8Array | PooledBuffer, signal: AbortSignal | undefined): Promise<void> {
    if (data instanceof Uint8Array && data.byteLength <= this.#maxSmallPayload && !signal?.aborted) {
      if (this.#pending.length === 0 && this.#append(data)) {
        this.#onAccepted(data.byteLength)
        return ACCEPTED
      }
    }
    let message: PendingMessage
    try {
      message = this.#check(data)
    } catch (error) {
      releaseGivenBuffer(data)
      return Promise.reject(error)
    }
    if (signal?.aborted) {
      releaseBuffer(message)
      return Promise.reject(aborted(signal, 'send'))
    }
    if (this.#pending.length === 0 && this.#advance(message)) {
      this.#onAccepted(message.payload.byteLength)
      return ACCEPTED
    }
    return this.#pending.wait(message, message.sentBytes > 0 ? undefined : signal)
  }

  /** See `Connection.flush`. */
  flush(signal: AbortSignal | undefined): Promise<void> {
    this.#postChunk()
    const flushed = this.#flushes.wait({ bytePosition: this.#acceptedBytes, sends: undefined }, signal)
    this.#settleFlushes()
    return flushed
  }

  /** Goes on with what waits: the transport may take more, or have completed some. */
  pump(): void {
    this.#isBlocked = false
    this.#postChunk()
    for (let waiter = this.#pending.first; waiter; waiter = this.#pending.first) {
      const message = waiter.detail
      const { byteLength } = message.payload
      if (!this.#advance(message)) {
        if (message.sentBytes > 0) waiter.ignoreSignal()
        break
      }
      if (!message.isAccepted) this.#onAccepted(byteLength)
      waiter.resolve()
    }
    this.#postChunk()
    this.#settleFlushes()
  }

  /** Rejects the sends that wait and have not begun. */
  rejectWaiting(error: NettsError): void {
    for (let waiter = this.#pending.first; waiter; ) {
      const { next } = waiter
      if (waiter.detail.sentBytes === 0) {
        releaseBuffer(waiter.detail)
        waiter.reject(error)
      }
      waiter = next
    }
  }

  /** The transport is closed: settles everything. Without an error, flushes were successful. */
  stop(error: NettsError | undefined, closed: NettsError): void {
    for (let waiter = this.#pending.first; waiter; waiter = this.#pending.first) {
      releaseBuffer(waiter.detail)
      waiter.reject(error ?? closed)
    }
    const isComplete = this.#chunk.byteLength === 0
    this.#chunk.discard()
    if (error) this.#flushes.rejectAll(error)
    else if (!isComplete) this.#flushes.rejectAll(closed)
    else this.#flushes.resolveAll()
  }

  #check(data: Uint8Array | PooledBuffer): PendingMessage {
    const buffer = isPooledBuffer(data) ? data : undefined
    const payload = buffer ? buffer.bytes : data
    if (!(payload instanceof Uint8Array) && !types.isUint8Array(payload)) {
      throw invalidArgument('data must be a Uint8Array or a PooledBuffer', 'send')
    }
    if (payload.byteLength > this.#maxMessageSize) throw this.#tooLarge(payload.byteLength)
    return { payload, buffer, sentBytes: 0, isAccepted: false }
  }

  /** Sends as much of a message as the transport takes. @returns whether that was all */
  #advance(message: PendingMessage): boolean {
    const { payload, buffer } = message
    if (buffer !== undefined && buffer.pool.domain === this.#transport.bufferPool.domain) {
      const headroom = headroomOf(buffer)
      if (headroom === HEADER_BYTES && payload.byteLength + HEADER_BYTES <= this.#transport.maxSendSize) {
        return this.#sendFramed(message, buffer)
      }
      if (headroom === 0 && payload.byteLength > 0 && payload.byteLength <= this.#transport.maxSendSize) {
        return this.#sendBehindHeader(message, buffer)
      }
    }
    const isSmall = payload.byteLength <= this.#maxSmallPayload
    if (!(isSmall ? this.#append(payload) : this.#sendInChunks(message))) return false
    releaseBuffer(message)
    return true
  }

  /** A small message: copied behind the others, to leave with them. */
  #append(payload: Uint8Array): boolean {
    if (!this.#chunk.append(payload)) {
      if (!this.#postChunk()) return false
      this.#chunk.append(payload)
    }
    if (this.#chunk.isFull) this.#postChunk()
    else this.#scheduleFlush()
    return true
  }

  /** A large message: the transport copies chunk after chunk of it. */
  #sendInChunks(message: PendingMessage): boolean {
    if (!this.#postChunk()) return false
    const { payload } = message
    const byteLength = payload.byteLength + HEADER_BYTES
    while (message.sentBytes < byteLength) {
      if (this.#isBlocked) return false
      const { sentBytes } = message
      let taken: number
      if (sentBytes < HEADER_BYTES) {
        writeHeader(this.#header, 0, payload.byteLength)
        this.#gather[0] = this.#header.subarray(sentBytes)
        this.#gather[1] = payload
        taken = this.#transport.sendGather(this.#gather)
        this.#gather[1] = this.#header
      } else {
        taken = this.#transport.sendCopy(payload.subarray(sentBytes - HEADER_BYTES))
      }
      if (taken === 0) return this.#onRefused()
      message.sentBytes += taken
      this.#onPosted(taken)
    }
    return true
  }

  /** A buffer with room for its header in front: nothing is copied. */
  #sendFramed(message: PendingMessage, buffer: PooledBuffer): boolean {
    if (!this.#postChunk() || this.#isBlocked) return false
    const { byteLength } = message.payload
    setHeadroom(buffer, 0)
    writeHeader(buffer.bytes, 0, byteLength)
    if (!this.#transport.sendBuffer(buffer)) {
      setHeadroom(buffer, HEADER_BYTES)
      return this.#onRefused()
    }
    message.buffer = undefined
    this.zeroCopySends++
    this.#onPosted(byteLength + HEADER_BYTES)
    return true
  }

  /** Any other buffer of the same memory: its header ends the chunk before, and it follows uncopied. */
  #sendBehindHeader(message: PendingMessage, buffer: PooledBuffer): boolean {
    const { byteLength } = message.payload
    if (message.sentBytes === 0) {
      if (this.#isBlocked) return false
      if (!this.#chunk.appendHeader(byteLength)) {
        if (!this.#postChunk()) return false
        this.#chunk.appendHeader(byteLength)
      }
      message.sentBytes = HEADER_BYTES
    }
    if (!this.#postChunk() || this.#isBlocked) return false
    if (!this.#transport.sendBuffer(buffer)) return this.#onRefused()
    message.buffer = undefined
    this.zeroCopySends++
    this.#onPosted(byteLength)
    return true
  }

  /** @returns whether nothing is left in the chunk */
  #postChunk(): boolean {
    while (this.#chunk.byteLength > 0) {
      if (this.#isBlocked) return false
      const taken = this.#chunk.post()
      if (taken === 0) return this.#onRefused()
      this.#onPosted(taken)
    }
    return true
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    nextTick(Sender.#onTick, this)
  }

  static #onTick(this: void, sender: Sender): void {
    sender.#isFlushScheduled = false
    sender.#postChunk()
  }

  #onAccepted(byteLength: number): void {
    this.messagesSent++
    this.bytesSent += byteLength
    this.#acceptedBytes += byteLength + HEADER_BYTES
  }

  #onPosted(byteLength: number): void {
    this.postedSends++
    this.#postedBytes += byteLength
  }

  #onRefused(): false {
    this.#isBlocked = true
    // The waker announces changes only, and a closed transport changes no more.
    if (this.#transport.pollDisconnect()) this.#onRefusedForEver()
    return false
  }

  #settleFlushes(): void {
    if (this.#flushes.length === 0) return
    for (let count = 1; count > 0; ) {
      count = this.#transport.pollSendCompletion()
      this.#completedSends += count
    }
    for (let waiter = this.#flushes.first; waiter; waiter = this.#flushes.first) {
      const target = waiter.detail
      if (this.#postedBytes < target.bytePosition) return
      target.sends ??= this.postedSends
      if (this.#completedSends < target.sends) return
      waiter.resolve()
    }
  }

  #tooLarge(byteLength: number): NettsError {
    return new NettsError(
      'ERR_NETTS_MESSAGE_TOO_LARGE',
      `a message of ${byteLength} bytes exceeds maxMessageSize (${this.#maxMessageSize})`,
      { operation: 'send' },
    )
  }
}

function releaseBuffer(message: PendingMessage): void {
  message.buffer?.release()
  message.buffer = undefined
}

/** A pooled buffer given to `send` is the connection's, also when that rejects. */
export function releaseGivenBuffer(data: unknown): void {
  if (isPooledBuffer(data) && headroomOf(data) >= 0) data.release()
}
