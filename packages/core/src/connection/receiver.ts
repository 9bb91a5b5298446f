/** The receiving half of a connection: finds messages in chunks, in place where possible. */
import { NettsError } from '../errors.js'
import type { RecvCompletion, Transport } from '../transport.js'
import { Assembler } from './assembler.js'
import { HEADER_BYTES, readHeader } from './framing.js'
import { HAS_HEADER, OWN_MEMORY, Segment, SegmentLease, type SegmentOwner } from './segment.js'

/** Few, because every connection keeps them while idle. */
const BATCH_LENGTH = 4

/**
 * Polls a transport for chunks and keeps the messages in them until they are taken.
 *
 * Whole messages stay where they are, in the transport's receive memory, and so hold the peer back once its window
 * is used up. Only a message that goes beyond a chunk is copied together.
 */
export class Receiver implements SegmentOwner {
  /** Complete messages that can be taken. */
  ready = 0
  /** Their payload bytes. */
  bytesBuffered = 0
  messagesReceived = 0
  bytesReceived = 0
  chunksReceived = 0
  assembledLeases = 0
  copiedLeases = 0
  /** Nothing more will come. What is ready can still be taken. */
  isOver = false
  /** Why nothing more will come; `undefined` after a clean end. */
  error: NettsError | undefined
  readonly #transport: Transport
  readonly #maxMessageSize: number
  readonly #highWaterMark: number
  readonly #assembler = new Assembler()
  readonly #batch: RecvCompletion[] = Array.from({ length: BATCH_LENGTH }, () => ({ bufIdx: 0, byteLen: 0 }))
  #batchIndex = 0
  #batchCount = 0
  #first: Segment | undefined
  #last: Segment | undefined
  // The incomplete message: how much of its header is there, and what that says so far.
  #headerBytes = 0
  #announcedBytes = 0
  // Chunks held by leases cost what a receive slot may: a whole maxSendSize, however little is in it. There is
  // always room for one more chunk that size, and half of the window.
  readonly #pinBudgetBytes: number
  #pinnedBytes = 0

  constructor(transport: Transport, maxMessageSize: number, highWaterMark: number) {
    this.#transport = transport
    this.#maxMessageSize = maxMessageSize
    this.#highWaterMark = highWaterMark
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

  /** Takes in chunks until the transport has no more, or enough messages are ready. */
  poll(): void {
    while (!this.isOver) {
      if (this.ready > 0 && this.bytesBuffered + this.ready * HEADER_BYTES >= this.#highWaterMark) return
      if (!this.#pollChunk()) {
        if (this.#transport.recvEnded) this.#onPeerEnd()
        return
      }
    }
  }

  /** The next message in place. Only while one is {@link ready}. */
  takeLease(): SegmentLease {
    const segment = this.#first!
    const byteLength = segment.takeMessage()
    const byteOffset = segment.position - byteLength
    let lease: SegmentLease
    if (segment.bufIdx === OWN_MEMORY || segment.isPinned || this.#pin(segment)) {
      segment.retain()
      lease = new SegmentLease(segment, byteOffset, byteLength)
      if (segment.bufIdx === OWN_MEMORY) this.assembledLeases++
    } else {
      const copy = new Uint8Array(segment.bytes.subarray(byteOffset, segment.position))
      lease = new SegmentLease(new Segment(this, copy, OWN_MEMORY, 0, byteLength, HAS_HEADER), 0, byteLength)
      this.copiedLeases++
    }
    this.#onTaken(segment, byteLength)
    return lease
  }

  /** The next message in memory of its own. Only while one is {@link ready}. */
  takeOwned(): Buffer {
    const segment = this.#first!
    const byteLength = segment.takeMessage()
    const byteOffset = segment.position - byteLength
    const { bytes } = segment
    let owned: Buffer
    if (segment.bufIdx === OWN_MEMORY && bytes.byteLength === byteLength) {
      owned = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, byteLength)
      segment.bytes = NO_BYTES
    } else {
      owned = Buffer.allocUnsafe(byteLength)
      owned.set(bytes.subarray(byteOffset, segment.position))
    }
    this.#onTaken(segment, byteLength)
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
    let segment = this.#first
    this.#first = this.#last = undefined
    while (segment) {
      const { next } = segment
      segment.next = undefined
      this.#push(segment.bufIdx === OWN_MEMORY ? segment : this.#copyOut(segment))
      segment = next
    }
  }

  /** Throws away what still comes, after {@link end}. */
  discardInput(): void {
    for (;;) {
      this.#batchCount = this.#transport.pollRecv(this.#batch)
      if (this.#batchCount === 0) return
      this.#batchIndex = 0
      this.#repostBatch()
    }
  }

  /** Throws away what is ready. */
  discardReady(): void {
    while (this.#first) {
      const segment = this.#first
      this.#first = segment.next
      segment.release()
    }
    this.#last = undefined
    this.ready = this.bytesBuffered = 0
  }

  /** A segment was read and released. */
  onFree(segment: Segment): void {
    if (segment.bufIdx === OWN_MEMORY) {
      if (!this.isOver) this.#assembler.recycle(segment.bytes)
      return
    }
    if (segment.isPinned) this.#pinnedBytes -= this.#pinCost(segment)
    this.#transport.repostRecv(segment.bufIdx)
  }

  #pollChunk(): boolean {
    if (this.#batchIndex === this.#batchCount) {
      this.#batchIndex = 0
      this.#batchCount = this.#transport.pollRecv(this.#batch)
      if (this.#batchCount === 0) return false
    }
    const { bufIdx } = this.#batch[this.#batchIndex++]!
    this.#onChunk(bufIdx, this.#transport.recvBuf(bufIdx))
    return true
  }

  #copyOut(segment: Segment): Segment {
    const copy = new Uint8Array(segment.bytes.subarray(segment.position, segment.end))
    const { headlessByteLength } = segment
    segment.release()
    return new Segment(this, copy, OWN_MEMORY, 0, copy.byteLength, headlessByteLength)
  }

  #onChunk(bufIdx: number, bytes: Uint8Array): void {
    this.chunksReceived++
    let position = 0
    let headlessByteLength = HAS_HEADER
    if (this.#headerBytes > 0) {
      position = this.#takeHeader(bytes, 0)
      if (this.#headerBytes === HEADER_BYTES) {
        if (this.#assembler.arrivedBytes === 0 && bytes.byteLength - position >= this.#announcedBytes) {
          headlessByteLength = this.#announcedBytes
          this.#headerBytes = 0
        } else {
          position = this.#continueMessage(bytes, position)
        }
      }
    }
    let end = position
    if (headlessByteLength !== HAS_HEADER) {
      end += headlessByteLength
      this.#onReady(headlessByteLength)
    }
    if (this.#headerBytes === 0 && !this.isOver) end = this.#skipWholeMessages(bytes, end)
    if (end > position || headlessByteLength !== HAS_HEADER) {
      this.#push(new Segment(this, bytes, bufIdx, position, end, headlessByteLength))
      if (end < bytes.byteLength) this.#beginMessage(bytes, end)
    } else {
      if (end < bytes.byteLength && !this.isOver) this.#beginMessage(bytes, end)
      this.#transport.repostRecv(bufIdx)
    }
  }

  /** Counts the messages that are complete. @returns where the first byte is that belongs to none of them */
  #skipWholeMessages(bytes: Uint8Array, start: number): number {
    const chunkEnd = bytes.byteLength
    let position = start
    while (chunkEnd - position >= HEADER_BYTES) {
      const byteLength = readHeader(bytes, position)
      if (byteLength > this.#maxMessageSize || chunkEnd - position - HEADER_BYTES < byteLength) break
      position += HEADER_BYTES + byteLength
      this.#onReady(byteLength)
    }
    return position
  }

  /** The rest of a chunk is the beginning of a message. */
  #beginMessage(bytes: Uint8Array, start: number): void {
    const position = this.#takeHeader(bytes, start)
    if (this.#headerBytes === HEADER_BYTES) this.#assembler.add(bytes, position, bytes.byteLength)
  }

  /** Adds to the incomplete message. @returns where in the chunk it ends */
  #continueMessage(bytes: Uint8Array, start: number): number {
    const position = this.#assembler.add(bytes, start, bytes.byteLength)
    if (this.#assembler.isComplete) {
      const byteLength = this.#announcedBytes
      this.#push(new Segment(this, this.#assembler.finish(), OWN_MEMORY, 0, byteLength, byteLength))
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
    while (this.#headerBytes < HEADER_BYTES && position < bytes.byteLength) {
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
      return bytes.byteLength
    }
    this.#assembler.begin(this.#announcedBytes)
    return position
  }

  #onReady(byteLength: number): void {
    this.ready++
    this.bytesBuffered += byteLength
  }

  #onTaken(segment: Segment, byteLength: number): void {
    this.ready--
    this.bytesBuffered -= byteLength
    this.messagesReceived++
    this.bytesReceived += byteLength
    if (!segment.isTaken) return
    this.#first = segment.next
    if (this.#first === undefined) this.#last = undefined
    segment.release()
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

  #push(segment: Segment): void {
    if (this.#last) this.#last.next = segment
    else this.#first = segment
    this.#last = segment
  }

  /** @returns whether one more chunk may be held by leases; it is counted then */
  #pin(segment: Segment): boolean {
    const cost = this.#pinCost(segment)
    if (this.#pinnedBytes + cost > this.#pinBudgetBytes) return false
    this.#pinnedBytes += cost
    segment.isPinned = true
    return true
  }

  #pinCost(segment: Segment): number {
    return Math.max(segment.bytes.byteLength, this.#transport.maxSendSize)
  }

  #repostBatch(): void {
    while (this.#batchIndex < this.#batchCount) {
      this.#transport.repostRecv(this.#batch[this.#batchIndex++]!.bufIdx)
    }
  }
}

const NO_BYTES = new Uint8Array(0)
