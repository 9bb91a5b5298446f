/**
 * The ring of places for one transport's sends. A frame is staged in the next place, posted with all that were staged
 * beside it in one batch, and retired in order as the device completes it. Only the last frame of a batch, and one in so
 * many, asks for a completion: it stands for all before it.
 *
 * A driver says what a frame is by writing its work requests' records; one frame may take several.
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
  /** Places that one data send may take. @default 1 */
  readonly placesPerSend?: number | undefined
  /** Memory of each place, for a frame's header, or a control frame, in bytes. */
  readonly headerStride: number
  /** Requests of up to so many bytes go inline. */
  readonly inlineThreshold: number
}

/** How many places there are. */
export function sendPlacesFor(depth: number, placesPerSend = 1): number {
  return depth * placesPerSend + CONTROL_SENDS
}

/** See above. */
export class SendPlaces {
  /** Frames ever staged, posted, and complete. The place of frame `i` is `i % capacity`. */
  staged = 0
  posted = 0
  retired = 0
  /** Data sends accepted and not complete, and their bytes. */
  dataInFlight = 0
  queuedBytes = 0
  readonly capacity: number
  /** Memory for headers and control frames, in bytes. */
  readonly headerBytes: number
  readonly #queuePair: QueuePair
  readonly #buffers: SendBuffers
  readonly #depth: number
  readonly #placesPerSend: number
  readonly #headerStride: number
  readonly #inlineThreshold: number
  readonly #headers: RegisteredBuffer
  /** By place: what the frame is, how many bytes of data it has, and the memory that its completion frees. */
  readonly #kinds: Uint8Array
  readonly #byteLengths: Uint32Array
  readonly #copies: (RegisteredBuffer | undefined)[]
  readonly #slots: (BufferSlot | undefined)[]
  /** By place: where the last record of its frame begins, while it is not posted. */
  readonly #records: Uint32Array
  /** Records written since the last post. */
  #recordCount = 0

  /** @throws NettsError when there is no memory for headers */
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

  /** Stages a frame without memory of its own: a control frame, or one part of a send. @returns its place */
  stage(kind: number, byteLength: number): number {
    const place = this.staged++ % this.capacity
    this.#kinds[place] = kind
    this.#byteLengths[place] = byteLength
    this.queuedBytes += byteLength
    return place
  }

  /** Stages a data send that was copied, header in front, into a buffer of `SendBuffers`. @returns its place */
  stageCopy(buffer: RegisteredBuffer, byteLength: number): number {
    const place = this.stage(FrameKind.data, byteLength)
    this.#copies[place] = buffer
    this.dataInFlight++
    return place
  }

  /** Stages a data send, or the last part of one, that lies in a program's buffer. @returns its place */
  stageSlot(slot: BufferSlot, byteLength: number): number {
    const place = this.stage(FrameKind.data, byteLength)
    this.#slots[place] = slot
    this.dataInFlight++
    return place
  }

  /** Stages a control frame as a Send from header memory, where the driver writes what follows the header. */
  stageControl(kind: number, byteLength: number): number {
    const place = this.stage(kind, 0)
    const at = this.record(place, SendOpcode.send, 1, byteLength)
    this.headerEntry(at, 0, place, byteLength)
    return place
  }

  /** The slab that the memory of places lies in. */
  get placeSlab(): Uint8Array {
    return this.#headers.slab
  }

  /** Where in {@link placeSlab} the memory of this place begins. */
  placeOffset(place: number): number {
    return this.#headers.byteOffset + place * this.#headerStride
  }

  /** The slab that the header of this place's frame lies in. */
  headerSlab(place: number): Uint8Array {
    return (this.#copies[place] ?? this.#headers).slab
  }

  /** Where in {@link headerSlab} the header begins. */
  headerOffset(place: number): number {
    const copy = this.#copies[place]
    return copy ? copy.byteOffset : this.placeOffset(place)
  }

  /**
   * Begins the next record of the frame that was staged last. Fields that are not named here are the driver's.
   * @param byteLength of the whole request
   * @returns where it begins; its entries do at `SEND.headerWords` behind
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

  /** Writes an entry of the record that begins at `at`. */
  entry(at: number, index: number, regionId: number, byteOffset: number, byteLength: number): void {
    const words = this.#queuePair.sendRequests
    const entry = at + SEND.headerWords + index * ENTRY.words
    words[entry + ENTRY.regionId] = regionId
    words[entry + ENTRY.byteOffset] = byteOffset
    words[entry + ENTRY.byteLength] = byteLength
    words[entry + ENTRY.reserved] = 0
  }

  /** Writes an entry for the memory of a place. @param from where in it. @default 0 */
  headerEntry(at: number, index: number, place: number, byteLength: number, from = 0): void {
    this.entry(at, index, this.#headers.regionId, this.placeOffset(place) + from, byteLength)
  }

  /**
   * Writes what every header begins with to everything staged, and posts it, in one batch.
   * @param count of receives
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
   * The device completed the frame in this place, and so everything before it.
   * @returns how many data sends that were
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

  /** Nothing will complete any more: frees the memory of everything that was under way. */
  settle(): void {
    while (this.retired < this.staged) this.#freeMemory(this.retired++ % this.capacity)
    this.posted = this.staged
    this.dataInFlight = 0
  }

  /** The queue pair is gone: gives back all memory. */
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
