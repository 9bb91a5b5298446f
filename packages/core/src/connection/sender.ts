/** The sending half of a connection: accepts messages in order, and lets those wait for which there is no room. */
import { types } from 'node:util'
import { HOST_MEMORY, type PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { giveAway, headroomOf, isPooledBuffer } from '../buffer-pool/buffer-slot.js'
import { WaitQueue } from '../driver/wait-queue.js'
import { aborted, invalidArgument, NettsError } from '../errors.js'
import type { Transport } from '../transport.js'
import { HEADER_BYTES } from './framing.js'
import { LentMemory } from './lent-memory.js'
import { MessageWriter, type OutgoingMessage, releaseBuffer } from './message-writer.js'

interface WaitingMessage extends OutgoingMessage {
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

/** Accepts messages for a transport, until its owner {@link stop}s it. */
export class Sender {
  messagesSent = 0
  bytesSent = 0
  readonly #transport: Transport
  readonly #maxMessageSize: number
  readonly #maxSmallPayload: number
  readonly #maxCopiedBuffer: number
  readonly #writer: MessageWriter
  readonly #waiting = new WaitQueue<void, WaitingMessage>('send', releaseBuffer)
  readonly #flushes = new WaitQueue<void, FlushTarget>('flush')
  #acceptedBytes = 0
  #completedSends = 0

  /**
   * @param wake called when {@link pump} is due although the transport's waker may say nothing, as it is closed. Not
   *   the time to do it at once.
   */
  constructor(transport: Transport, maxMessageSize: number, wake: () => void) {
    this.#transport = transport
    this.#maxMessageSize = maxMessageSize
    this.#writer = new MessageWriter(transport, wake)
    this.#maxSmallPayload = Math.min(maxMessageSize, this.#writer.maxSmallPayload)
    this.#maxCopiedBuffer = Math.min(maxMessageSize, this.#writer.maxCopiedBuffer)
  }

  /** Whether the transport has everything that was ever asked to be sent. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#writer.isIdle
  }

  /** Sends that the transport accepted. */
  get postedSends(): number {
    return this.#writer.postedSends
  }

  get zeroCopySends(): number {
    return this.#writer.zeroCopySends
  }

  /** See `Connection.trySend`. */
  trySend(data: Uint8Array | PooledBuffer): boolean {
    if (this.#acceptSmall(data)) return true
    const message = this.#check(data)
    const { byteLength } = message.payload
    if (this.#waiting.length > 0) return false
    if (!this.#writer.write(message)) {
      if (message.sentBytes === 0) return false
      this.#keepRest(message)
    }
    this.#onAccepted(byteLength)
    return true
  }

  /** See `Connection.send`. */
  send(data: Uint8Array | PooledBuffer, signal: AbortSignal | undefined): Promise<void> {
    let message: OutgoingMessage
    try {
      if (!signal?.aborted && this.#acceptSmall(data)) return ACCEPTED
      message = this.#check(data)
    } catch (error) {
      releaseGivenBuffer(data)
      return Promise.reject(error)
    }
    if (signal?.aborted) {
      releaseBuffer(message)
      return Promise.reject(aborted(signal, 'send'))
    }
    if (this.#canLend(message)) message.lent = new LentMemory(message.payload)
    if (this.#waiting.length === 0 && this.#writer.write(message)) {
      this.#onAccepted(message.payload.byteLength)
      return message.lent?.returned() ?? ACCEPTED
    }
    const { payload, buffer, lent, sentBytes } = message
    return this.#waiting.wait(
      { payload, buffer: buffer && giveAway(buffer), lent, sentBytes, isAccepted: false },
      sentBytes > 0 ? undefined : signal,
    )
  }

  /**
   * Accepts what is copied behind other messages, making nothing for it.
   * @returns false when it is not such a message, or has to wait
   */
  #acceptSmall(data: Uint8Array | PooledBuffer): boolean {
    const isBytes = data instanceof Uint8Array
    if (!isBytes && !isPooledBuffer(data)) return false
    const { byteLength } = data
    const limit = isBytes ? this.#maxSmallPayload : this.#maxCopiedBuffer
    if (byteLength > limit || this.#waiting.length > 0) return false
    if (!this.#writer.writeSmall(isBytes ? data : data.bytes)) return false
    if (!isBytes) data.release()
    this.#onAccepted(byteLength)
    return true
  }

  /** See `Connection.flush`. */
  flush(signal: AbortSignal | undefined): Promise<void> {
    this.#writer.post()
    const flushed = this.#flushes.wait({ bytePosition: this.#acceptedBytes, sends: undefined }, signal)
    this.#settleFlushes()
    return flushed
  }

  /** Goes on with what waits: the transport may take more, or have completed some. */
  pump(): void {
    this.#writer.unblock()
    this.#writer.post()
    for (let waiter = this.#waiting.first; waiter; waiter = this.#waiting.first) {
      const message = waiter.detail
      const { byteLength } = message.payload
      if (!this.#writer.write(message)) {
        if (message.sentBytes > 0) waiter.ignoreSignal()
        break
      }
      if (!message.isAccepted) this.#onAccepted(byteLength)
      waiter.resolve(message.lent?.returned())
    }
    this.#writer.post()
    this.#settleFlushes()
  }

  // Errors are made when somebody gets them: recording a stack would be most of what a close costs.

  /** Rejects the sends that wait and have not begun. */
  rejectWaiting(makeError: () => NettsError): void {
    if (this.#waiting.length === 0) return
    const error = makeError()
    for (let waiter = this.#waiting.first; waiter; ) {
      const { next } = waiter
      if (waiter.detail.sentBytes === 0) {
        releaseBuffer(waiter.detail)
        waiter.reject(error)
      }
      waiter = next
    }
  }

  /**
   * The transport is closed: settles everything.
   * @param error what ended it; without, flushes were successful if everything had left
   * @param makeClosed the reason otherwise
   */
  stop(error: NettsError | undefined, makeClosed: () => NettsError): void {
    const reason = error ?? (this.isIdle ? undefined : makeClosed())
    for (let waiter = this.#waiting.first; waiter; waiter = this.#waiting.first) {
      releaseBuffer(waiter.detail)
      waiter.reject(reason!)
    }
    this.#writer.discard()
    if (reason) this.#flushes.rejectAll(reason)
    else this.#flushes.resolveAll()
  }

  #check(data: Uint8Array | PooledBuffer): OutgoingMessage {
    const buffer = isPooledBuffer(data) ? data : undefined
    const payload = buffer ? buffer.bytes : data
    if (!(payload instanceof Uint8Array) && !types.isUint8Array(payload)) {
      throw invalidArgument('data must be a Uint8Array or a PooledBuffer', 'send')
    }
    if (payload.byteLength > this.#maxMessageSize) {
      throw new NettsError(
        'ERR_NETTS_MESSAGE_TOO_LARGE',
        `a message of ${payload.byteLength} bytes exceeds maxMessageSize (${this.#maxMessageSize})`,
        { operation: 'send' },
      )
    }
    return { payload, buffer, lent: undefined, sentBytes: 0 }
  }

  /** Whether a payload can leave from where it lies: not where the transport's memory is of another kind. */
  #canLend({ payload, buffer }: OutgoingMessage): boolean {
    return (
      payload.byteLength >= this.#writer.minLentPayload &&
      buffer === undefined &&
      this.#transport.bufferPool.domain === HOST_MEMORY &&
      types.isArrayBuffer(payload.buffer)
    )
  }

  /** A message that trySend began can't be taken back: its rest stays here and goes before anything else. */
  #keepRest({ payload, buffer, sentBytes }: OutgoingMessage): void {
    const rest = {
      payload: buffer ? payload : copyFrom(payload, Math.max(0, sentBytes - HEADER_BYTES)),
      buffer: buffer && giveAway(buffer),
      lent: undefined,
      sentBytes,
      isAccepted: true,
    }
    this.#waiting.add(rest, undefined, nothing, nothing)
  }

  #onAccepted(byteLength: number): void {
    this.messagesSent++
    this.bytesSent += byteLength
    this.#acceptedBytes += byteLength + HEADER_BYTES
  }

  #settleFlushes(): void {
    if (this.#flushes.length === 0) return
    for (let count = 1; count > 0; ) {
      count = this.#transport.pollSendCompletion()
      this.#completedSends += count
    }
    for (let waiter = this.#flushes.first; waiter; waiter = this.#flushes.first) {
      const target = waiter.detail
      if (this.#writer.postedBytes < target.bytePosition) return
      target.sends ??= this.#writer.postedSends
      if (this.#completedSends < target.sends) return
      waiter.resolve()
    }
  }
}

/** A pooled buffer given to `send` is the connection's, also when that rejects. */
export function releaseGivenBuffer(data: unknown): void {
  if (isPooledBuffer(data) && headroomOf(data) >= 0) data.release()
}

/** A copy of the same length in which only the bytes from `start` on are set: what is not touched costs nothing. */
function copyFrom(bytes: Uint8Array, start: number): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength)
  copy.set(bytes.subarray(start), start)
  return copy
}
