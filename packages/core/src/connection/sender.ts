/** The sending half of a connection: accepts messages in order; those that do not fit wait. */
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { headroomOf, isPooledBuffer } from '../buffer-pool/buffer-slot.js'
import { show } from '../driver/options.js'
import { type Waiter, WaitQueue } from '../driver/wait-queue.js'
import { aborted, invalidArgument, NettsError } from '../errors.js'
import { FlushQueue } from '../lifecycle/flush-queue.js'
import { toBytes } from '../runtime/bytes.js'
import type { Transport } from '../transport.js'
import { MessageWriter, type WriterOwner } from './message-writer.js'
import {
  BufferMessage,
  CopiedMessage,
  canLend,
  canSendBuffer,
  LentMessage,
  type OutgoingMessage,
} from './outgoing-message.js'

/** A message that waits for room, or a flush that waits for the messages before it. */
interface Waiting {
  /** `undefined` for a flush. */
  readonly message: OutgoingMessage | undefined
  /** Whether it is counted as sent already: `trySend` began it. */
  readonly isAccepted: boolean
}

/** What a sender calls in its connection. */
export interface SenderOwner extends WriterOwner {
  /** The transport threw: ends the connection. @returns the error that it ended with */
  onThrow(error: unknown): NettsError
}

/** The promise of every send that does not have to wait. */
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
  readonly #owner: SenderOwner
  readonly #writer: MessageWriter
  readonly #waiting = new WaitQueue<void, Waiting>('send', (waiting) => this.#drop(waiting))
  readonly #flushes: FlushQueue
  readonly #writable = new WaitQueue<void>('whenWritable')
  /** How many bytes of the waiting messages the transport does not have yet. */
  #waitingBytes = 0

  constructor(transport: Transport, maxMessageSize: number, owner: SenderOwner) {
    this.#transport = transport
    this.#maxMessageSize = maxMessageSize
    this.#owner = owner
    this.#writer = new MessageWriter(transport, owner)
    this.#flushes = new FlushQueue(transport)
    this.#maxSmallPayload = Math.min(maxMessageSize, this.#writer.maxSmallPayload)
    this.#maxCopiedBuffer = Math.min(maxMessageSize, this.#writer.maxCopiedBuffer)
  }

  /** Whether the transport has all messages. */
  get isDrained(): boolean {
    return this.#waiting.length === 0 && this.#writer.gatheredBytes === 0
  }

  /** How many bytes, headers included, the transport does not have yet. */
  get queuedBytes(): number {
    return this.#waitingBytes + this.#writer.gatheredBytes
  }

  /** How many sends the transport accepted. */
  get postedSends(): number {
    return this.#writer.postedSends
  }

  /** How many bytes were in them. */
  get postedBytes(): number {
    return this.#writer.postedBytes
  }

  get zeroCopySends(): number {
    return this.#writer.zeroCopySends
  }

  /** One message was received by itself: the next small message may be its answer, and leaves at once. */
  mayAnswer(): void {
    this.#writer.mayAnswer = true
  }

  /** See `Connection.trySend`. */
  trySend(data: Uint8Array | PooledBuffer): boolean {
    if (this.#acceptSmall(data)) return true
    const message = this.#messageOf(data, false)
    if (this.#waiting.length > 0) return false
    if (!this.#write(message)) {
      if (!message.hasBegun) return false
      // Part of it has left, so the rest waits here, before all later messages.
      message.keep(true)
      this.#wait({ message, isAccepted: true }, undefined, nothing, nothing)
    }
    this.#onAccepted(message.byteLength)
    return true
  }

  /** See `Connection.send`. */
  send(data: Uint8Array | PooledBuffer, signal: AbortSignal | undefined): Promise<void> {
    let message: OutgoingMessage | undefined
    try {
      if (!signal?.aborted && this.#acceptSmall(data)) return ACCEPTED
      message = this.#messageOf(data, true)
      if (signal?.aborted) throw aborted(signal, 'send')
      if (this.#waiting.length === 0 && this.#write(message)) return this.#accepted(message)
    } catch (error) {
      if (message) message.release()
      else releaseGivenBuffer(data)
      return Promise.reject(error)
    }
    const waiting = { message, isAccepted: false }
    message.keep(false)
    return new Promise((resolve, reject) =>
      this.#wait(waiting, message.hasBegun ? undefined : signal, resolve, reject),
    )
  }

  /** See `Connection.flush`. */
  flush(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(aborted(signal, 'flush'))
    return new Promise((resolve, reject) => {
      const flush = () => {
        try {
          this.#flushes.add(this.#writer.postedSends, signal, resolve, reject)
        } catch (error) {
          this.#owner.onThrow(error)
        }
      }
      if (this.#waiting.length === 0 && this.#post()) flush()
      else {
        // It waits in the queue of sends, whose errors name another operation.
        const rejectFlush = (error: NettsError) => reject(signal?.aborted ? aborted(signal, 'flush') : error)
        this.#wait({ message: undefined, isAccepted: true }, signal, flush, rejectFlush)
      }
    })
  }

  /** See `Connection.whenWritable`. */
  whenWritable(signal: AbortSignal | undefined): Promise<void> {
    if (this.#isWritable && !signal?.aborted) return ACCEPTED
    return this.#writable.wait(undefined, signal)
  }

  /** Continues with what waits: the transport may accept more, or have completed sends. */
  pump(): void {
    this.#writer.unblock()
    this.#writer.post()
    for (let waiter = this.#waiting.first; waiter; waiter = this.#waiting.first) {
      if (!this.#advance(waiter)) break
    }
    this.#writer.post()
    this.#flushes.settle()
    if (this.#isWritable) this.#writable.resolveAll()
  }

  // Errors are made only if an operation rejects: the stack trace would be most of the cost of a close.

  /** Rejects the sends that wait and have not begun to leave. */
  rejectWaiting(makeError: () => NettsError): void {
    if (this.#waiting.length === 0) return
    const error = makeError()
    for (let waiter = this.#waiting.first; waiter; ) {
      const { next, detail } = waiter
      if (detail.message && !detail.message.hasBegun) {
        this.#drop(detail)
        waiter.reject(error)
      }
      waiter = next
    }
  }

  /**
   * The transport is closed: settles everything.
   * @param error the error that ended it; without an error, flushes succeed if everything has left
   * @param makeClosed makes the error if there is none and not everything has left
   */
  stop(error: NettsError | undefined, makeClosed: () => NettsError): void {
    const reason = error ?? (this.isDrained ? undefined : makeClosed())
    for (let waiter = this.#waiting.first; waiter; waiter = this.#waiting.first) {
      this.#drop(waiter.detail)
      waiter.reject(reason!)
    }
    this.#writer.discard()
    this.#flushes.stop(reason)
    if (this.#writable.length > 0) this.#writable.rejectAll(reason ?? makeClosed())
  }

  /**
   * Accepts a small message, which is copied after other messages. It allocates nothing.
   * @returns `false` when the message is not small, or has to wait
   */
  #acceptSmall(data: Uint8Array | PooledBuffer): boolean {
    const isBytes = data instanceof Uint8Array
    if (!isBytes && !isPooledBuffer(data)) return false
    const byteLength = isBytes ? data.length : data.byteLength
    const limit = isBytes ? this.#maxSmallPayload : this.#maxCopiedBuffer
    // Detached memory has no bytes.
    if (byteLength > limit || byteLength === 0 || this.#waiting.length > 0) return false
    const payload = isBytes ? data : data.bytes
    try {
      if (!this.#writer.writeSmall(payload)) return false
    } catch (error) {
      throw this.#owner.onThrow(error)
    }
    if (!isBytes) data.release()
    this.#onAccepted(byteLength)
    return true
  }

  /** @param mayLend whether the caller waits until the memory is no longer read */
  #messageOf(data: Uint8Array | PooledBuffer, mayLend: boolean): OutgoingMessage {
    const buffer = isPooledBuffer(data) ? data : undefined
    const payload = buffer ? buffer.bytes : toBytes(data)
    if (payload === undefined) {
      const hint = typeof data === 'string' ? '; use Buffer.from for a string' : ''
      throw invalidArgument(`data must be a Uint8Array or a PooledBuffer, not ${show(data)}${hint}`, 'send')
    }
    const byteLength = payload.length
    if (byteLength === 0 && isGone(payload)) {
      throw new NettsError('ERR_NETTS_BUFFER_DETACHED', 'the memory of data was transferred or resized', {
        operation: 'send',
      })
    }
    if (byteLength > this.#maxMessageSize) {
      throw new NettsError(
        'ERR_NETTS_MESSAGE_TOO_LARGE',
        `a message of ${byteLength} bytes exceeds maxMessageSize (${this.#maxMessageSize})`,
        { operation: 'send' },
      )
    }
    if (buffer && byteLength > this.#maxCopiedBuffer && canSendBuffer(buffer, this.#transport)) {
      return new BufferMessage(buffer)
    }
    const isLarge = mayLend && !buffer && byteLength >= this.#writer.minLentPayload
    if (isLarge && canLend(payload, this.#transport)) {
      return new LentMessage(payload)
    }
    return new CopiedMessage(payload, buffer)
  }

  #write(message: OutgoingMessage): boolean {
    try {
      const isWritten = this.#writer.write(message)
      this.#owner.watchStall()
      return isWritten
    } catch (error) {
      throw this.#owner.onThrow(error)
    }
  }

  #post(): boolean {
    try {
      return this.#writer.post()
    } catch (error) {
      throw this.#owner.onThrow(error)
    }
  }

  #accepted(message: OutgoingMessage): Promise<void> {
    this.#onAccepted(message.byteLength)
    if (!message.isZeroCopy) return ACCEPTED
    return new Promise((resolve) => {
      if (!message.onReturned(resolve)) resolve()
    })
  }

  get #isWritable(): boolean {
    return this.#waiting.length === 0 && !this.#writer.isBlocked
  }

  #wait(
    waiting: Waiting,
    signal: AbortSignal | undefined,
    resolve: () => void,
    reject: (error: NettsError) => void,
  ): void {
    this.#waitingBytes += waiting.message?.leftBytes ?? 0
    this.#waiting.add(waiting, signal, resolve, reject)
  }

  /** Continues with the operation that waits first. @returns whether it is done */
  #advance(waiter: Waiter<void, Waiting>): boolean {
    const { message, isAccepted } = waiter.detail
    if (message === undefined) {
      if (!this.#writer.post()) return false
      waiter.resolve()
      return true
    }
    const before = message.leftBytes
    let isWritten: boolean
    try {
      isWritten = this.#writer.write(message)
    } catch (error) {
      // If part of it has left, the connection fails.
      if (message.hasBegun || (error as NettsError).code !== 'ERR_NETTS_BUFFER_DETACHED') throw error
      this.#drop(waiter.detail)
      waiter.reject(error as NettsError)
      return true
    }
    this.#waitingBytes -= before - message.leftBytes
    if (!isWritten) {
      if (message.hasBegun) waiter.ignoreSignal()
      return false
    }
    if (!isAccepted) this.#onAccepted(message.byteLength)
    const settle = waiter.leave()
    if (!message.onReturned(settle)) settle()
    return true
  }

  /** A message that will not be sent. */
  #drop({ message }: Waiting): void {
    if (!message) return
    this.#waitingBytes -= message.leftBytes
    message.release()
  }

  #onAccepted(byteLength: number): void {
    this.messagesSent++
    this.bytesSent += byteLength
  }
}

/** Releases a pooled buffer that was given to `send`: it belongs to the connection, also when `send` rejects. */
export function releaseGivenBuffer(data: unknown): void {
  if (isPooledBuffer(data) && headroomOf(data) >= 0) data.release()
}

/** Whether the memory of an array without bytes was detached: only then do its methods throw. */
function isGone(bytes: Uint8Array): boolean {
  try {
    bytes.at(0)
    return false
  } catch {
    return true
  }
}
