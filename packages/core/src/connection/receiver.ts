/** The receiving half of a connection: finds messages in chunks, in place where possible. */
import { NettsError } from '../errors.js'
import { NO_BYTES } from '../runtime/bytes.js'
import { isSaturated } from '../runtime/turn-budget.js'
import type { RecvCompletion, Transport } from '../transport.js'
import { Assembler } from './assembler.js'
import { HEADER_BYTES, readHeader } from './framing.js'
import { MessageRun, RunLease, type RunOwner } from './message-run.js'

/** How many chunks are polled at once; few, because every connection keeps the entries while idle. */
const BATCH_LENGTH = 4

/**
 * Polls a transport for chunks, and keeps the messages in them until they are taken.
 *
 * Whole messages stay in the transport's receive memory, so that the peer has to wait when its window is used up. Only a
 * message that lies in several chunks is copied into one piece of memory.
 */
export class Receiver implements RunOwner {
  /** How many complete messages can be taken. */
  ready = 0
  /** How many payload bytes they have. */
  bytesBuffered = 0
  messagesReceived = 0
  bytesReceived = 0
  chunksReceived = 0
  assembledLeases = 0
  copiedLeases = 0
  /** Whether the last {@link poll} left chunks in the transport. The waker may not be called for these again. */
  isHeldBack = false
  /** Called when memory that a lease held is free again. */
  onRelease: (() => void) | undefined
  /** Whether nothing more will come. Messages that are ready can still be taken. */
  isOver = false
  /** The error after which nothing more will come; `undefined` after a clean end. */
  error: NettsError | undefined
  readonly #transport: Transport
  readonly #maxMessageSize: number
  readonly #highWaterMark: number
  readonly #onThrow: (error: unknown) => void
  readonly #assembler = new Assembler()
  readonly #batch: RecvCompletion[] = Array.from({ length: BATCH_LENGTH }, () => ({
    chunkIndex: 0,
    byteLength: 0,
  }))
  #batchIndex = 0
  #batchCount = 0
  #first: MessageRun | undefined
  #last: MessageRun | undefined
  // The incomplete message: how many bytes of its header have arrived, and the length that they give so far.
  #headerBytes = 0
  #announcedBytes = 0
  // A chunk held by leases counts as a whole maxSendSize, since a receive slot may have that size however few bytes are in
  // it. Leases may hold half of the window, and must leave room for one more chunk of that size.
  readonly #pinBudgetBytes: number
  #pinnedBytes = 0
  /** How many bytes of the connection's own memory leases hold. */
  #ownLeasedBytes = 0

  /** @param onThrow called with what the transport throws when a program releases a lease */
  constructor(
    transport: Transport,
    maxMessageSize: number,
    highWaterMark: number,
    onThrow: (error: unknown) => void,
  ) {
    this.#transport = transport
    this.#maxMessageSize = maxMessageSize
    this.#highWaterMark = highWaterMark
    this.#onThrow = onThrow
    const { recvWindow, maxSendSize } = transport
    this.#pinBudgetBytes = Math.min(recvWindow / 2, recvWindow - maxSendSize)
  }

  /** Whether a message has begun to arrive and is not complete. */
  get isPartial(): boolean {
    return this.#headerBytes > 0
  }

  /** Memory for messages that lie in several chunks, in bytes: in use and in reserve. */
  get assemblyBytes(): number {
    return this.#assembler.heldBytes
  }

  /** Whether so much is ready that nothing more is polled. */
  get isFull(): boolean {
    return this.ready > 0 && this.bytesBuffered + this.ready * HEADER_BYTES >= this.#highWaterMark
  }

  /**
   * Polls chunks until the transport has no more, or enough messages are ready. Messages that a later turn will deliver can
   * stay in the transport until then.
   */
  poll(): void {
    this.isHeldBack = false
    while (!this.isOver) {
      if (this.isFull || (this.ready > 0 && isSaturated())) {
        this.isHeldBack = true
        return
      }
      if (!this.#pollChunk()) {
        if (this.#transport.recvEnded) this.#onPeerEnd()
        return
      }
    }
  }

  /**
   * Whether the next message can be leased within the limit of what leases may hold, which is at least one message. Only
   * while one is {@link ready}.
   */
  get mayLend(): boolean {
    const run = this.#first!
    const leasedBytes = this.#pinnedBytes + this.#ownLeasedBytes
    return run.isLeased || leasedBytes === 0 || leasedBytes + this.#cost(run) <= this.#pinBudgetBytes
  }

  /** The next message in place. Only while one is {@link ready}. */
  takeLease(): RunLease {
    const run = this.#first!
    const { byteOffset, byteLength } = run
    let lease: RunLease
    if (run.isLeased || this.#hold(run)) {
      run.retain()
      lease = new RunLease(run, byteOffset, byteLength)
      if (run.chunkIndex === undefined) this.assembledLeases++
    } else {
      const copy = this.#ownRun(run.bytes, byteOffset, byteLength, 1)
      this.#hold(copy)
      lease = new RunLease(copy, 0, byteLength)
      this.copiedLeases++
    }
    this.#onTaken(run, byteLength)
    return lease
  }

  /** The next message in memory of its own. Only while one is {@link ready}. */
  takeOwned(): Buffer {
    const run = this.#first!
    const { bytes, byteOffset, byteLength } = run
    let owned: Buffer
    if (run.chunkIndex === undefined && bytes.length === byteLength) {
      owned = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, byteLength)
      // The memory belongs to the program now.
      run.bytes = NO_BYTES
    } else {
      owned = Buffer.allocUnsafe(byteLength)
      owned.set(bytes.subarray(byteOffset, byteOffset + byteLength))
    }
    this.#onTaken(run, byteLength)
    return owned
  }

  /** Ends receiving, with or without an error. Messages that are {@link ready} can still be taken. The first call counts. */
  end(error: NettsError | undefined): void {
    if (this.isOver) return
    this.isOver = true
    this.error = error
    this.#headerBytes = 0
    this.#assembler.discard()
    this.#repostBatch()
  }

  /** Polls all chunks, however many, and holds none of the transport's afterwards, except in leases. */
  pollRest(): void {
    while (!this.isOver && this.#pollChunk()) {}
    if (!this.isOver && this.#transport.recvEnded) this.#onPeerEnd()
    let run = this.#first
    this.#first = this.#last = undefined
    while (run) {
      const { next } = run
      run.next = undefined
      this.#push(run.chunkIndex === undefined ? run : this.#copyOut(run))
      run = next
    }
  }

  /** Discards further chunks, after {@link end}. */
  discardInput(): void {
    for (;;) {
      this.#batchIndex = this.#batchCount = 0
      this.#batchCount = this.#transport.pollRecv(this.#batch)
      if (this.#batchCount === 0) return
      this.#repostBatch()
    }
  }

  /** Discards the messages that are ready. */
  discardReady(): void {
    while (this.#first) {
      const run = this.#first
      this.#first = run.next
      run.release()
    }
    this.#last = undefined
    this.ready = this.bytesBuffered = 0
  }

  /** A run was read and released. */
  onFree(run: MessageRun): void {
    const { chunkIndex } = run
    if (chunkIndex === undefined) {
      if (run.isLeased) this.#ownLeasedBytes -= run.bytes.length
      if (!this.isOver) this.#assembler.recycle(run.bytes)
    } else {
      if (run.isLeased) this.#pinnedBytes -= this.#cost(run)
      try {
        this.#transport.repostRecv(chunkIndex)
      } catch (error) {
        this.#onThrow(error)
      }
    }
    this.onRelease?.()
  }

  #pollChunk(): boolean {
    if (this.#batchIndex === this.#batchCount) {
      // If `pollRecv` throws, no chunk is taken twice.
      this.#batchIndex = this.#batchCount = 0
      this.#batchCount = this.#transport.pollRecv(this.#batch)
      if (this.#batchCount === 0) return false
    }
    const { chunkIndex } = this.#batch[this.#batchIndex]!
    const bytes = this.#transport.recvBuf(chunkIndex)
    // Only now: if `recvBuf` throws, no chunk is skipped.
    this.#batchIndex++
    this.#onChunk(chunkIndex, bytes)
    return true
  }

  /**
   * A chunk contains, each optional and in this order: the rest of the incomplete message, whole messages, and the beginning
   * of the next message.
   */
  #onChunk(chunkIndex: number, bytes: Uint8Array): void {
    this.chunksReceived++
    let position = 0
    let messages = 0
    let firstOffset = 0
    let firstLength = 0
    if (this.#headerBytes > 0) {
      position = this.#takeHeader(bytes, 0)
      if (this.#headerBytes === HEADER_BYTES && this.#liesIn(bytes, position)) {
        // Its header was in the chunk before, and its payload is in one piece.
        messages = 1
        firstOffset = position
        firstLength = this.#announcedBytes
        this.#headerBytes = 0
        this.#onReady(firstLength)
        position += firstLength
      } else if (this.#headerBytes === HEADER_BYTES) {
        position = this.#continueMessage(bytes, position)
      }
    }
    if (this.#headerBytes === 0 && !this.isOver) {
      while (bytes.length - position >= HEADER_BYTES) {
        const byteLength = readHeader(bytes, position)
        const payload = position + HEADER_BYTES
        if (byteLength > this.#maxMessageSize || bytes.length - payload < byteLength) break
        if (messages++ === 0) {
          firstOffset = payload
          firstLength = byteLength
        }
        this.#onReady(byteLength)
        position = payload + byteLength
      }
      if (position < bytes.length) this.#beginMessage(bytes, position)
    }
    if (messages > 0) {
      this.#push(new MessageRun(this, bytes, chunkIndex, messages, firstOffset, firstLength))
    } else {
      this.#transport.repostRecv(chunkIndex)
    }
  }

  /** Whether the whole payload of the incomplete message is in `bytes`, from `position` on. */
  #liesIn(bytes: Uint8Array, position: number): boolean {
    return this.#assembler.arrivedBytes === 0 && bytes.length - position >= this.#announcedBytes
  }

  /** The rest of a chunk is the beginning of a message. */
  #beginMessage(bytes: Uint8Array, start: number): void {
    const position = this.#takeHeader(bytes, start)
    if (this.#headerBytes === HEADER_BYTES) this.#assembler.add(bytes, position, bytes.length)
  }

  /** Adds to the incomplete message. @returns where in the chunk it ends */
  #continueMessage(bytes: Uint8Array, start: number): number {
    const position = this.#assembler.add(bytes, start, bytes.length)
    if (this.#assembler.isComplete) {
      const byteLength = this.#announcedBytes
      this.#push(new MessageRun(this, this.#assembler.finish(), undefined, 1, 0, byteLength))
      this.#headerBytes = 0
      this.#onReady(byteLength)
    }
    return position
  }

  /** Reads the header of the incomplete message, or as much as has arrived. @returns where the payload begins */
  #takeHeader(bytes: Uint8Array, start: number): number {
    let position = start
    if (this.#headerBytes === HEADER_BYTES) return position
    if (this.#headerBytes === 0) this.#announcedBytes = 0
    while (this.#headerBytes < HEADER_BYTES && position < bytes.length) {
      this.#announcedBytes = this.#announcedBytes * 256 + bytes[position++]!
      this.#headerBytes++
    }
    if (this.#headerBytes < HEADER_BYTES) return position
    if (this.#announcedBytes > this.#maxMessageSize) {
      this.end(
        new NettsError(
          'ERR_NETTS_PROTOCOL',
          `the peer announced a message of ${this.#announcedBytes} bytes; maxMessageSize is ${this.#maxMessageSize}`,
          { operation: 'recv', address: this.#transport.remoteAddress },
        ),
      )
      return bytes.length
    }
    this.#assembler.begin(this.#announcedBytes)
    return position
  }

  #onReady(byteLength: number): void {
    this.ready++
    this.bytesBuffered += byteLength
  }

  #onTaken(run: MessageRun, byteLength: number): void {
    this.ready--
    this.bytesBuffered -= byteLength
    this.messagesReceived++
    this.bytesReceived += byteLength
    run.advance()
    if (run.messages > 0) return
    this.#first = run.next
    if (this.#first === undefined) this.#last = undefined
    run.release()
  }

  #onPeerEnd(): void {
    const error = this.isPartial
      ? new NettsError('ERR_NETTS_TRUNCATED', 'the peer finished in the middle of a message', {
          operation: 'recv',
          address: this.#transport.remoteAddress,
        })
      : undefined
    this.end(error)
  }

  #push(run: MessageRun): void {
    if (this.#last) this.#last.next = run
    else this.#first = run
    this.#last = run
  }

  /** Copies the messages of a run that were not taken into memory of the connection. */
  #copyOut(run: MessageRun): MessageRun {
    const { bytes, byteOffset, byteLength, messages } = run
    const copy = this.#ownRun(bytes, byteOffset, byteLength, messages)
    run.release()
    return copy
  }

  #ownRun(bytes: Uint8Array, byteOffset: number, byteLength: number, messages: number): MessageRun {
    const end = messages === 1 ? byteOffset + byteLength : bytes.length
    const copy = new Uint8Array(bytes.subarray(byteOffset, end))
    return new MessageRun(this, copy, undefined, messages, 0, byteLength)
  }

  /** Counts the memory as held by leases. @returns `false` for a chunk that would exceed the limit; it is not counted */
  #hold(run: MessageRun): boolean {
    const cost = this.#cost(run)
    if (run.chunkIndex === undefined) this.#ownLeasedBytes += cost
    else if (this.#pinnedBytes + cost > this.#pinBudgetBytes) return false
    else this.#pinnedBytes += cost
    run.isLeased = true
    return true
  }

  #cost(run: MessageRun): number {
    const { length } = run.bytes
    return run.chunkIndex === undefined ? length : Math.max(length, this.#transport.maxSendSize)
  }

  #repostBatch(): void {
    while (this.#batchIndex < this.#batchCount) {
      this.#transport.repostRecv(this.#batch[this.#batchIndex++]!.chunkIndex)
    }
  }
}
