/** The sending half of a connection: accepts messages in order, and lets those wait for which there is no room. */
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

/** A message that waits for room; without one, a flush that waits for those before it. */
interface Waiting {
  readonly message: OutgoingMessage | undefined
  /** Counted as sent already, and nobody waits for it: trySend began it. */
  readonly isAccepted: boolean
}

/** What a sender asks of its connection. */
export interface SenderOwner extends WriterOwner {
  /** The transport threw: ends the connection. @returns the error that it ended with */
  onThrow(error: unknown): NettsError
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
  readonly #owner: SenderOwner
  readonly #writer: MessageWriter
  readonly #waiting = new WaitQueue<void, Waiting>('send', (waiting) => this.#drop(waiting))
  readonly #flushes: FlushQueue
  readonly #writable = new WaitQueue<void>('whenWritable')
  /** Of waiting messages, what the transport does not have yet. */
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

  /** Whether the transport has everything that was ever asked to be sent. */
  get isDrained(): boolean {
    return this.#waiting.length === 0 && this.#writer.gatheredBytes === 0
  }

  /** Bytes, headers included, that were asked to be sent and that the transport does not have yet. */
  get queuedBytes(): number {
    return this.#waitingBytes + this.#writer.gatheredBytes
  }

  /** Sends that the transport accepted. */
  get postedSends(): number {
    return this.#writer.postedSends
  }

  /** Bytes in them. */
  get postedBytes(): number {
    return this.#writer.postedBytes
  }

  get zeroCopySends(): number {
    return this.#writer.zeroCopySends
  }

  /** One message was received by itself: the next small one may be its answer, and leaves at once. */
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
      // It can't be taken back: its rest stays here and goes before anything else.
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
        // It waits among the sends, and is named by itself.
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

  /** Goes on with what waits: the transport may take more, or have completed some. */
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

  // Errors are made when somebody gets them: recording a stack would be most of what a close costs.

  /** Rejects the sends that wait and have not begun. */
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
   * @param error what ended it; without, flushes were successful if everything had left
   * @param makeClosed the reason otherwise
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
   * Accepts what is copied behind other messages, making nothing for it.
   * @returns false when it is not such a message, or has to wait
   */
  #acceptSmall(data: Uint8Array | PooledBuffer): boolean {
    const isBytes = data instanceof Uint8Array
    if (!isBytes && !isPooledBuffer(data)) return false
    const byteLength = isBytes ? data.length : data.byteLength
    const limit = isBytes ? this.#maxSmallPayload : this.#maxCopiedBuffer
    // Memory that is gone shows as no bytes.
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

  /** @param mayLend somebody waits until the memory is no longer read */
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

  /** Goes on with whoever waits first. @returns whether the next one may go on */
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
      // Half of it is with the peer: then the connection can't go on.
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

/** A pooled buffer given to `send` is the connection's, also when that rejects. */
export function releaseGivenBuffer(data: unknown): void {
  if (isPooledBuffer(data) && headroomOf(data) >= 0) data.release()
}

/** Whether the memory of an array without bytes was taken away: only then do its methods throw. */
function isGone(bytes: Uint8Array): boolean {
  try {
    bytes.at(0)
    return false
  } catch {
    return true
  }
}
