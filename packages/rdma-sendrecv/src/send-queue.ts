/**
 * The sends of one transport: staged, posted in one batch with their headers, and retired in order as the device
 * completes them. Only the last request of a batch, and one in so many, asks for a completion: it stands for all
 * before it.
 */
import type { BufferSlot } from '@netts/core/driver'
import { ENTRY, type QueuePair, SEND, SendFlag, SendOpcode } from '@netts/verbs'
import { workRequestIdLow } from '@netts/verbs/endpoint'
import { queueOverrun } from './errors.js'
import type { RegisteredBuffer, TransportMemory } from './memory.js'
import {
  controlBytes,
  FrameKind,
  type FrameKindNumber,
  HEADER_BYTES,
  hasArgument,
  MAX_CONTROL_BYTES,
  writeArgument,
  writeHeader,
} from './protocol/frame.js'
import { WorkKind } from './work-requests.js'

/** Control frames that may be under way beside the data. */
export const CONTROL_SENDS = 8
/** Each request has so much memory for a header of its own, or a control frame. */
const HEADER_STRIDE = 16
/** One request in so many is signalled within a batch, so that buffers come back while it is on its way. */
const SIGNAL_EVERY = 16
/** Buffers that are kept when there is nothing to send. */
const LEAST_BUFFERS = 2

if (MAX_CONTROL_BYTES > HEADER_STRIDE) throw new RangeError('a control frame does not fit')

/** How a {@link SendQueue} is made. */
export interface SendQueueOptions {
  /** Data frames that may be under way. */
  readonly depth: number
  /** Frames up to so many bytes go inline. */
  readonly inlineThreshold: number
}

/** See above. */
export class SendQueue {
  /** Frames ever staged, and those that are complete. */
  staged = 0
  retired = 0
  /** Data frames accepted and not complete, and their bytes. */
  dataInFlight = 0
  queuedBytes = 0
  /** Buffers that hold memory. */
  held = 0
  /** Memory for headers and control frames, in bytes. */
  readonly headerBytes: number
  readonly #queuePair: QueuePair
  readonly #memory: TransportMemory
  readonly #options: SendQueueOptions
  readonly #capacity: number
  readonly #headers: RegisteredBuffer
  /** By place in the ring: what the frame is, how many bytes of data it has, and the memory that its completion frees. */
  readonly #kinds: Uint8Array
  readonly #byteLengths: Uint32Array
  readonly #copies: (RegisteredBuffer | undefined)[]
  readonly #slots: (BufferSlot | undefined)[]
  #posted = 0
  /** No more memory could be had, a while ago. */
  #short = false
  readonly #free: RegisteredBuffer[] = []

  /** @throws NettsError when the least memory can't be had */
  constructor(queuePair: QueuePair, memory: TransportMemory, options: SendQueueOptions) {
    this.#queuePair = queuePair
    this.#memory = memory
    this.#options = options
    this.#capacity = options.depth + CONTROL_SENDS
    this.#kinds = new Uint8Array(this.#capacity)
    this.#byteLengths = new Uint32Array(this.#capacity)
    this.#copies = new Array(this.#capacity)
    this.#slots = new Array(this.#capacity)
    this.headerBytes = this.#capacity * HEADER_STRIDE
    this.#headers = memory.takeHeaders(this.headerBytes)
    try {
      while (this.held < Math.min(LEAST_BUFFERS, options.depth)) this.#free.push(this.#takeBuffer())
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Frames that are not complete. */
  get inFlight(): number {
    return this.staged - this.retired
  }

  get hasStaged(): boolean {
    return this.staged > this.#posted
  }

  /** Whether it holds buffers that it could give back. */
  get hasExtra(): boolean {
    return this.held > LEAST_BUFFERS || this.#short
  }

  /** Whether one more data frame may be staged, as far as the queue goes. */
  get hasRoomForData(): boolean {
    return this.dataInFlight < this.#options.depth && this.hasRoom
  }

  /** Whether one more control frame may be staged. */
  get hasRoom(): boolean {
    return this.inFlight < this.#capacity
  }

  /**
   * Copies bytes of `parts` into a buffer and stages them.
   * @returns how many; 0 when there is no buffer
   */
  stageCopy(parts: readonly Uint8Array[], most: number): number {
    const buffer = this.#free.pop() ?? this.#tryTakeBuffer()
    if (!buffer) return 0
    const start = buffer.byteOffset + HEADER_BYTES
    let filled = 0
    for (const part of parts) {
      const room = most - filled
      if (room === 0) break
      buffer.slab.set(part.length > room ? part.subarray(0, room) : part, start + filled)
      filled += Math.min(room, part.length)
    }
    const place = this.#stage(FrameKind.data, filled)
    this.#copies[place] = buffer
    const at = this.#record(place, 1, HEADER_BYTES + filled)
    this.#entry(at, 0, buffer.regionId, buffer.byteOffset, HEADER_BYTES + filled)
    return filled
  }

  /** Stages part of a program's buffer, which is freed when it is complete. */
  stageSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    const place = this.#stage(FrameKind.data, byteLength)
    this.#slots[place] = slot
    const at = this.#record(place, 2, HEADER_BYTES + byteLength)
    const { regionId } = this.#headers
    const slabRegion = this.#memory.environment.regionOf(slot.slab).id
    this.#entry(at, 0, regionId, this.#headerAt(place), HEADER_BYTES)
    this.#entry(at, 1, slabRegion, slot.byteOffset + byteOffset, byteLength)
  }

  /** Stages a control frame. @param argument of RESET or RECLAIM */
  stageControl(kind: FrameKindNumber, argument: number): void {
    const place = this.#stage(kind, 0)
    const byteLength = controlBytes(kind)
    if (hasArgument(kind)) writeArgument(this.#headers.slab, this.#headerAt(place), argument)
    const at = this.#record(place, 1, byteLength)
    this.#entry(at, 0, this.#headers.regionId, this.#headerAt(place), byteLength)
  }

  /** Writes the headers of everything staged and posts it, in one batch. @param count for the headers */
  post(count: number): void {
    const batch = this.staged - this.#posted
    if (batch === 0) return
    const words = this.#queuePair.sendRequests
    const recordWords = this.#queuePair.sendRecordWords
    for (let i = 0; i < batch; i++) {
      const place = (this.#posted + i) % this.#capacity
      const copy = this.#copies[place]
      const { slab } = copy ?? this.#headers
      writeHeader(
        slab,
        copy ? copy.byteOffset : this.#headerAt(place),
        this.#kinds[place] as FrameKindNumber,
        count,
      )
      if (i === batch - 1 || i % SIGNAL_EVERY === SIGNAL_EVERY - 1) {
        words[i * recordWords + SEND.flags]! |= SendFlag.signalled
      }
    }
    this.#posted += batch
    if (this.#queuePair.postSend(batch) < batch) throw queueOverrun('ibv_post_send')
  }

  /**
   * The device completed the frame in this place, and so everything before it.
   * @returns how many data frames that were
   */
  retireTo(place: number): number {
    const last = this.retired + ((place - (this.retired % this.#capacity) + this.#capacity) % this.#capacity)
    let data = 0
    while (this.retired <= last && this.retired < this.#posted) {
      if (this.#freeMemory(this.retired++ % this.#capacity)) data++
    }
    this.dataInFlight -= data
    return data
  }

  /** Gives back buffers that are free, all but the least. */
  trim(): void {
    this.#short = false
    while (this.#free.length > 0 && this.held > LEAST_BUFFERS) this.#giveBack(this.#free.pop()!)
  }

  /** Nothing will complete any more: frees the memory of everything that was under way. */
  settle(): void {
    while (this.retired < this.staged) this.#freeMemory(this.retired++ % this.#capacity)
    this.#posted = this.staged
    this.dataInFlight = 0
  }

  /** The queue pair is gone: gives back all memory. */
  close(): void {
    this.settle()
    for (const buffer of this.#free.splice(0)) this.#giveBack(buffer)
    this.#headers.free()
  }

  /** @returns whether it was a data frame */
  #freeMemory(place: number): boolean {
    this.queuedBytes -= this.#byteLengths[place]!
    const copy = this.#copies[place]
    if (copy) {
      this.#copies[place] = undefined
      this.#free.push(copy)
      return true
    }
    const slot = this.#slots[place]
    if (!slot) return false
    this.#slots[place] = undefined
    slot.free()
    return true
  }

  #stage(kind: FrameKindNumber, byteLength: number): number {
    const place = this.staged++ % this.#capacity
    this.#kinds[place] = kind
    this.#byteLengths[place] = byteLength
    this.queuedBytes += byteLength
    if (kind === FrameKind.data) this.dataInFlight++
    return place
  }

  #headerAt(place: number): number {
    return this.#headers.byteOffset + place * HEADER_STRIDE
  }

  /** Writes the record of the frame staged last. @returns where its entries begin */
  #record(place: number, entryCount: number, byteLength: number): number {
    const words = this.#queuePair.sendRequests
    const at = (this.staged - 1 - this.#posted) * this.#queuePair.sendRecordWords
    words[at + SEND.opcode] = SendOpcode.send
    words[at + SEND.flags] = byteLength <= this.#options.inlineThreshold ? SendFlag.inline : 0
    words[at + SEND.idLow] = workRequestIdLow(WorkKind.send, place)
    words[at + SEND.idHigh] = 0
    words[at + SEND.entryCount] = entryCount
    return at + SEND.headerWords
  }

  #entry(at: number, index: number, regionId: number, byteOffset: number, byteLength: number): void {
    const words = this.#queuePair.sendRequests
    const entry = at + index * ENTRY.words
    words[entry + ENTRY.regionId] = regionId
    words[entry + ENTRY.byteOffset] = byteOffset
    words[entry + ENTRY.byteLength] = byteLength
    words[entry + ENTRY.reserved] = 0
  }

  #tryTakeBuffer(): RegisteredBuffer | undefined {
    if (this.held >= this.#options.depth || this.#short) return undefined
    try {
      return this.#takeBuffer()
    } catch {
      // No more memory can be pinned: those that are on their way come back.
      this.#short = true
      return undefined
    }
  }

  #takeBuffer(): RegisteredBuffer {
    const buffer = this.#memory.takeBuffer()
    this.held++
    return buffer
  }

  #giveBack(buffer: RegisteredBuffer): void {
    buffer.free()
    this.held--
  }
}
