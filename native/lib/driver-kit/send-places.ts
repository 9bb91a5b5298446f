/**
 * The ring of places for one transport's sends. A frame is staged in the next place, posted with all other staged
 * frames in one batch, and retired in order as the device completes it. Only the last frame of a batch, and one in
 * {@link SIGNAL_EVERY}, is signalled: its completion counts for all frames before it.
 *
 * A driver writes the records of a frame's work requests; one frame may have several.
 */
import type { BufferSlot } from '@netts/core/driver'
import { workRequestIdLow } from '../endpoint/work-request-id.js'
import { ENTRY, SEND, SendFlag, SendOpcode } from '../verbs/layout.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import { queueOverrun } from './errors.js'
import type { RegisteredBuffer, TransportMemory } from './memory.js'
import { FrameKind, writeFrameHeader } from './protocol/frame.js'
import type { SendBuffers } from './send-buffers.js'
import { WorkKind } from './work-kinds.js'

/** Control frames that may be under way beside the data. */
const CONTROL_SENDS = 8
/** One frame in so many is signalled within a batch, so that buffers come back while it is on its way. */
const SIGNAL_EVERY = 16

/** How {@link SendPlaces} are made. */
export interface SendPlacesOptions {
  /** Data sends that may be under way. */
  readonly depth: number
  /** Frames, and so places, that one data send may need. @default 1 */
  readonly placesPerSend?: number | undefined
  /** Bytes of memory that each place has, for a frame's header or a control frame. */
  readonly headerStride: number
  /** Work requests of up to so many bytes are posted inline. */
  readonly inlineThreshold: number
}

/** How many places {@link SendPlaces} with these options have: those for data, and some for control frames. */
export function sendPlacesFor(depth: number, placesPerSend = 1): number {
  return depth * placesPerSend + CONTROL_SENDS
}

/** The sends of one transport, from staging to completion. */
export class SendPlaces {
  /** Frames ever staged. The place of frame `i` is `i % capacity`. */
  staged = 0
  /** Frames ever posted. */
  posted = 0
  /** Frames ever completed. */
  retired = 0
  /** Data sends that are staged or posted, and not complete. */
  dataInFlight = 0
  /** Bytes of data in frames that are staged or posted, and not complete. */
  queuedBytes = 0
  /** How many places there are. */
  readonly capacity: number
  /** Registered memory for headers and control frames, in bytes. */
  readonly headerBytes: number
  readonly #queuePair: QueuePair
  readonly #buffers: SendBuffers
  readonly #depth: number
  readonly #placesPerSend: number
  readonly #headerStride: number
  readonly #inlineThreshold: number
  readonly #headers: RegisteredBuffer
  /** By place: the frame's kind, how many bytes of data it has, and the memory that its completion frees. */
  readonly #kinds: Uint8Array
  readonly #byteLengths: Uint32Array
  readonly #copies: (RegisteredBuffer | undefined)[]
  readonly #slots: (BufferSlot | undefined)[]
  /** By place: where the last record of its frame begins, while it is not posted. */
  readonly #records: Uint32Array
  /** Records written since the last post. */
  #recordCount = 0

  /**
   * @param queuePair to post to, with room for all records
   * @param memory for headers
   * @param buffers where copied frames come from, and go back to
   * @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when there is no memory for headers
   */
  constructor(
    queuePair: QueuePair,
    memory: TransportMemory,
    buffers: SendBuffers,
    { depth, placesPerSend = 1, headerStride, inlineThreshold }: SendPlacesOptions,
  ) {
    this.#queuePair = queuePair
    this.#buffers = buffers
    this.#depth = depth
    this.#placesPerSend = placesPerSend
    this.#headerStride = headerStride
    this.#inlineThreshold = inlineThreshold
    this.capacity = sendPlacesFor(depth, placesPerSend)
    this.#kinds = new Uint8Array(this.capacity)
    this.#byteLengths = new Uint32Array(this.capacity)
    this.#copies = new Array(this.capacity)
    this.#slots = new Array(this.capacity)
    this.#records = new Uint32Array(this.capacity)
    this.headerBytes = this.capacity * headerStride
    this.#headers = memory.takeHeaders(this.headerBytes)
  }

  /** Frames that are not complete. */
  get inFlight(): number {
    return this.staged - this.retired
  }

  /** Whether {@link post} has something to do. */
  get hasStaged(): boolean {
    return this.staged > this.posted
  }

  /** Whether one more data send may be staged. */
  get hasRoomForData(): boolean {
    return this.dataInFlight < this.#depth && this.inFlight + this.#placesPerSend <= this.capacity
  }

  /** Whether one more control frame may be staged. */
  get hasRoom(): boolean {
    return this.inFlight < this.capacity
  }

  /**
   * Stages a frame that frees no memory when it completes: a control frame, or a part of a send that is not the last.
   * @param kind of the frame
   * @param byteLength bytes of data
   * @returns its place
   */
  stage(kind: number, byteLength: number): number {
    const place = this.staged++ % this.capacity
    this.#kinds[place] = kind
    this.#byteLengths[place] = byteLength
    this.queuedBytes += byteLength
    return place
  }

  /**
   * Stages a data send whose frame, header included, is in a buffer of {@link SendBuffers}, which its completion frees.
   * @param byteLength bytes of data
   * @returns its place
   */
  stageCopy(buffer: RegisteredBuffer, byteLength: number): number {
    const place = this.stage(FrameKind.data, byteLength)
    this.#copies[place] = buffer
    this.dataInFlight++
    return place
  }

  /**
   * Stages a data send, or the last part of one, whose data is in a program's buffer, which its completion frees.
   * @param byteLength bytes of data
   * @returns its place
   */
  stageSlot(slot: BufferSlot, byteLength: number): number {
    const place = this.stage(FrameKind.data, byteLength)
    this.#slots[place] = slot
    this.dataInFlight++
    return place
  }

  /**
   * Stages a control frame as a Send from the memory of its place. The driver writes what follows the header there.
   * @param byteLength of the whole frame
   * @returns its place
   */
  stageControl(kind: number, byteLength: number): number {
    const place = this.stage(kind, 0)
    const at = this.record(place, SendOpcode.send, 1, byteLength)
    this.headerEntry(at, 0, place, byteLength)
    return place
  }

  /** The slab with the memory of all places. */
  get placeSlab(): Uint8Array {
    return this.#headers.slab
  }

  /** Where in {@link placeSlab} the memory of a place begins, in bytes. */
  placeOffset(place: number): number {
    return this.#headers.byteOffset + place * this.#headerStride
  }

  /** The slab with the header of a place's frame: its copy's, or {@link placeSlab}. */
  headerSlab(place: number): Uint8Array {
    return (this.#copies[place] ?? this.#headers).slab
  }

  /** Where in {@link headerSlab} the header begins, in bytes. */
  headerOffset(place: number): number {
    const copy = this.#copies[place]
    return copy ? copy.byteOffset : this.placeOffset(place)
  }

  /**
   * Begins the next record of the frame that was staged last. The driver writes the fields that are no parameters here.
   * @param opcode one of {@link SendOpcode}
   * @param entryCount how many entries follow, see {@link entry}
   * @param byteLength of the whole work request
   * @returns at which word of `sendRequests` it begins
   */
  record(place: number, opcode: number, entryCount: number, byteLength: number): number {
    const { sendRequests: words, sendRecordWords } = this.#queuePair
    const at = this.#recordCount++ * sendRecordWords
    this.#records[place] = at
    words[at + SEND.opcode] = opcode
    words[at + SEND.flags] = byteLength <= this.#inlineThreshold ? SendFlag.inline : 0
    words[at + SEND.idLow] = workRequestIdLow(WorkKind.send, place)
    words[at + SEND.idHigh] = 0
    words[at + SEND.entryCount] = entryCount
    return at
  }

  /** Writes entry `index` of the record that begins at word `at`. */
  entry(at: number, index: number, regionId: number, byteOffset: number, byteLength: number): void {
    const words = this.#queuePair.sendRequests
    const entry = at + SEND.headerWords + index * ENTRY.words
    words[entry + ENTRY.regionId] = regionId
    words[entry + ENTRY.byteOffset] = byteOffset
    words[entry + ENTRY.byteLength] = byteLength
    words[entry + ENTRY.reserved] = 0
  }

  /** Writes an entry that is in the memory of a place. @param from at which byte of it. @default 0 */
  headerEntry(at: number, index: number, place: number, byteLength: number, from = 0): void {
    this.entry(at, index, this.#headers.regionId, this.placeOffset(place) + from, byteLength)
  }

  /**
   * Writes the beginning of the header of every staged frame, and posts the frames in one batch.
   * @param count receives ever posted by this end
   * @throws NettsError `ERR_NETTS_VERBS` when the device refuses
   */
  post(count: number): void {
    const batch = this.staged - this.posted
    if (batch === 0) return
    const words = this.#queuePair.sendRequests
    for (let i = 0; i < batch; i++) {
      const place = (this.posted + i) % this.capacity
      writeFrameHeader(this.headerSlab(place), this.headerOffset(place), this.#kinds[place]!, count)
      if (i === batch - 1 || i % SIGNAL_EVERY === SIGNAL_EVERY - 1) {
        words[this.#records[place]! + SEND.flags]! |= SendFlag.signalled
      }
    }
    const records = this.#recordCount
    this.posted += batch
    this.#recordCount = 0
    if (this.#queuePair.postSend(records) < records) throw queueOverrun('ibv_post_send')
  }

  /**
   * The device completed the frame in this place, and so all frames before it: frees their memory.
   * @returns how many data sends completed
   */
  retireTo(place: number): number {
    const last = this.retired + ((place - (this.retired % this.capacity) + this.capacity) % this.capacity)
    let data = 0
    while (this.retired <= last && this.retired < this.posted) {
      if (this.#freeMemory(this.retired++ % this.capacity)) data++
    }
    this.dataInFlight -= data
    return data
  }

  /** No further frame is going to complete: frees the memory of all that are staged or posted. */
  settle(): void {
    while (this.retired < this.staged) this.#freeMemory(this.retired++ % this.capacity)
    this.posted = this.staged
    this.dataInFlight = 0
  }

  /** The queue pair is closed: gives back all memory. */
  close(): void {
    this.settle()
    this.#headers.free()
  }

  /** @returns whether a data send is complete with it */
  #freeMemory(place: number): boolean {
    this.queuedBytes -= this.#byteLengths[place]!
    const copy = this.#copies[place]
    if (copy) {
      this.#copies[place] = undefined
      this.#buffers.putBack(copy)
      return true
    }
    const slot = this.#slots[place]
    if (!slot) return false
    this.#slots[place] = undefined
    slot.free()
    return true
  }
}
