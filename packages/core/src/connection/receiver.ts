/** The receiving half of a connection: finds messages in chunks, in place where possible. */
import { NettsError } from '../errors.js'
import { NO_BYTES } from '../runtime/bytes.js'
import { isSaturated } from '../runtime/turn-budget.js'
import type { RecvCompletion, Transport } from '../transport.js'
import { Assembler } from './assembler.js'
import { HEADER_BYTES, readHeader } from './framing.js'
import { MessageRun, RunLease, type RunOwner } from './message-run.js'

/** Few, because every connection keeps them while idle. */
const BATCH_LENGTH = 4

/**
 * Polls a transport for chunks and keeps the messages in them until they are taken.
 *
 * Whole messages stay where they are, in the transport's receive memory, and so hold the peer back once its window
 * is used up. Only a message that goes beyond a chunk is copied together.
 */
export class Receiver implements RunOwner {
  /** Complete messages that can be taken. */
  ready = 0
  /** Their payload bytes. */
  bytesBuffered = 0
  messagesReceived = 0
  bytesReceived = 0
  chunksReceived = 0
  assembledLeases = 0
  copiedLeases = 0
  /** The last {@link poll} left in the transport what there was, of which its waker need not tell again. */
  isHeldBack = false
  /** Called once memory that a lease held is free again. */
  onRelease: (() => void) | undefined
  /** Nothing more will come. What is ready can still be taken. */
  isOver = false
  /** Why nothing more will come; `undefined` after a clean end. */
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
  // The incomplete message: how much of its header is there, and what that says so far.
  #headerBytes = 0
  #announcedBytes = 0
  // Chunks held by leases cost what a receive slot may: a whole maxSendSize, however little is in it. There is
  // always room for one more chunk that size, and half of the window.
  readonly #pinBudgetBytes: number
  #pinnedBytes = 0
  /** Memory of the connection's own that leases hold. */
  #ownLeasedBytes = 0

  /** @param onThrow gets what the transport throws when a program releases a lease */
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

  /** Memory held for messages that lie in several chunks, in bytes: in use and in reserve. */
  get assemblyBytes(): number {
    return this.#assembler.heldBytes
  }

  /** Whether so much is ready that nothing more is taken in. */
  get isFull(): boolean {
    return this.ready > 0 && this.bytesBuffered + this.ready * HEADER_BYTES >= this.#highWaterMark
  }

  /**
   * Takes in chunks until the transport has no more, or enough messages are ready: what a later turn delivers can stay
   * in the transport until then.
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
   * Whether the next message can be leased without going beyond what leases may hold, which is one message at least. Only
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
      // It is the program's now.
      run.bytes = NO_BYTES
    } else {
      owned = Buffer.allocUnsafe(byteLength)
      owned.set(bytes.subarray(byteOffset, byteOffset + byteLength))
    }
    this.#onTaken(run, byteLength)
    return owned
  }

  /** Ends receiving, cleanly or not; what is {@link ready} can still be taken. The first end stands. */
  end(error: NettsError | undefined): void {
    if (this.isOver) return
    this.isOver = true
    this.error = error
    this.#headerBytes = 0
    this.#assembler.discard()
    this.#repostBatch()
  }

  /** Polls all there is, however much, and leaves no chunk of the transport behind, except in leases. */
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

  /** Throws away what still comes, after {@link end}. */
  discardInput(): void {
    for (;;) {
      this.#batchIndex = this.#batchCount = 0
      this.#batchCount = this.#transport.pollRecv(this.#batch)
      if (this.#batchCount === 0) return
      this.#repostBatch()
    }
  }

  /** Throws away what is ready. */
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
      // Should that throw, nothing is taken twice.
      this.#batchIndex = this.#batchCount = 0
      this.#batchCount = this.#transport.pollRecv(this.#batch)
      if (this.#batchCount === 0) return false
    }
    const { chunkIndex } = this.#batch[this.#batchIndex]!
    const bytes = this.#transport.recvBuf(chunkIndex)
    // Only now: should that throw, no chunk is left out before later ones.
    this.#batchIndex++
    this.#onChunk(chunkIndex, bytes)
    return true
  }

  /**
   * A chunk holds, in this order and each of them optional: the rest of the incomplete message, whole messages, and the
   * beginning of the next one.
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
        // Its header was in the chunk before, and its payload needs no assembling.
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

  /** Whether the whole payload of the incomplete message lies in `bytes`, from `position` on. */
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

  /** Reads the header of the incomplete message, or as much as is there. @returns where the payload begins */
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

  /** The messages of a run that nobody has taken, in memory of their own. */
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

  /** @returns whether a lease may hold this memory: a chunk only while there is room. It is counted then */
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
