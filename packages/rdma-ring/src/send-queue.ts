/**
 * The sends of one transport: the work requests of each frame. When they are posted, and how they complete, is in
 * `@netts/verbs/endpoint`.
 *
 * A DATA frame is a Write into the peer's ring, with the position after it as immediate data. On iWARP, which has no
 * immediate data, a Send with the position follows.
 */
import type { BufferSlot } from '@netts/core/driver'
import {
  type QueuePair,
  type RemoteAddress,
  SEND,
  SendOpcode,
  splitAddress,
  writeRemoteAddress,
} from '@netts/verbs'
import {
  copyParts,
  type DeviceEnvironment,
  FrameKind,
  SendBuffers,
  SendPlaces,
  type SendSide,
  type TransportMemory,
  writeUint32,
} from '@netts/verbs/endpoint'
import type { RingConfig } from './options.js'
import { DOORBELL_BYTES, HEADER_BYTES, writeArgument, writeReleased } from './protocol/frame.js'
import type { RingAddress } from './protocol/hello.js'
import type { RingEnd } from './protocol/ring-end.js'

/** A send that lies across the end of the ring needs two frames. */
export const PLACES_PER_SEND = 2
/** On iWARP: a Write, and a Send as its doorbell. */
export const REQUESTS_PER_FRAME = 2
/** A place has room for a header, and for a doorbell after it. */
const HEADER_STRIDE = 2 * HEADER_BYTES

/** The send side of one transport. */
export class SendQueue implements SendSide {
  readonly places: SendPlaces
  /** The buffers into which data is copied. */
  readonly buffers: SendBuffers
  readonly #environment: DeviceEnvironment
  readonly #words: Uint32Array
  readonly #hasImmediate: boolean
  // Set by open() and aim().
  #protocol!: RingEnd
  #ring: RemoteAddress = { low: 0, high: 0 }
  #key = 0

  /** @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when there is not enough memory */
  constructor(queuePair: QueuePair, memory: TransportMemory, { sendDepth, inlineThreshold }: RingConfig) {
    const { environment } = memory
    this.#environment = environment
    this.#words = queuePair.sendRequests
    this.#hasImmediate = environment.device.transport !== 'iwarp'
    this.buffers = new SendBuffers(memory, sendDepth)
    try {
      this.places = new SendPlaces(queuePair, memory, this.buffers, {
        depth: sendDepth,
        placesPerSend: PLACES_PER_SEND,
        headerStride: HEADER_STRIDE,
        inlineThreshold,
      })
    } catch (error) {
      this.buffers.close()
      throw error
    }
  }

  /** The peer's hello was accepted. */
  open(protocol: RingEnd): void {
    this.#protocol = protocol
  }

  /** The peer's READY arrived: its ring is there. */
  aim({ address, key }: RingAddress): void {
    this.#ring = splitAddress(address)
    this.#key = key
  }

  /**
   * Copies bytes of `parts` into a buffer and stages them.
   * @param byteLength how many bytes: there has to be room for them in the ring
   * @returns how many frames that are; 0 when there is no buffer
   */
  stageCopy(parts: readonly Uint8Array[], byteLength: number): number {
    const buffer = this.buffers.take()
    if (!buffer) return 0
    const { places } = this
    const { regionId } = buffer
    const byteOffset = buffer.byteOffset + HEADER_BYTES
    copyParts(parts, buffer.slab, byteOffset, byteLength)
    const first = this.#stageBeforeEnd(regionId, byteOffset, byteLength)
    const rest = byteLength - first
    const place = places.stageCopy(buffer, rest)
    if (first === 0) {
      const at = this.#write(place, rest, 1)
      places.entry(at, 0, regionId, buffer.byteOffset, HEADER_BYTES + rest)
    } else {
      const at = this.#write(place, rest, 2)
      places.entry(at, 0, regionId, buffer.byteOffset, HEADER_BYTES)
      places.entry(at, 1, regionId, byteOffset + first, rest)
    }
    this.#ringDoorbell(place)
    return first > 0 ? 2 : 1
  }

  /**
   * Stages part of a program's buffer, which the completion frees.
   * @returns how many frames that are
   */
  stageSlot(slot: BufferSlot, byteOffset: number, byteLength: number): number {
    const regionId = this.#environment.regionOf(slot.slab).id
    const from = slot.byteOffset + byteOffset
    const first = this.#stageBeforeEnd(regionId, from, byteLength)
    const rest = byteLength - first
    this.#stagePart(this.places.stageSlot(slot, rest), regionId, from + first, rest)
    return first > 0 ? 2 : 1
  }

  stageControl(kind: number, argument: number): void {
    const { places } = this
    const place = places.stageControl(kind, HEADER_BYTES)
    writeArgument(places.headerSlab(place), places.headerOffset(place), argument)
  }

  post(count: number): void {
    const { places } = this
    const { announced } = this.#protocol.in
    for (let frame = places.posted; frame < places.staged; frame++) {
      const place = frame % places.capacity
      writeReleased(places.headerSlab(place), places.headerOffset(place), announced)
    }
    places.post(count)
  }

  close(): void {
    this.places.close()
    this.buffers.close()
  }

  /** Stages as much as goes before the ring's end, if that is not all. @returns how many bytes that is, or 0 */
  #stageBeforeEnd(regionId: number, byteOffset: number, byteLength: number): number {
    const { room } = this.#protocol.out
    if (byteLength <= room) return 0
    this.#stagePart(this.places.stage(FrameKind.data, room), regionId, byteOffset, room)
    return room
  }

  #stagePart(place: number, regionId: number, byteOffset: number, byteLength: number): void {
    const { places } = this
    const at = this.#write(place, byteLength, 2)
    places.headerEntry(at, 0, place, HEADER_BYTES)
    places.entry(at, 1, regionId, byteOffset, byteLength)
    this.#ringDoorbell(place)
  }

  /**
   * Writes the record of a frame of data.
   * @param byteLength of its data
   * @returns where its entries are to be written
   */
  #write(place: number, byteLength: number, entryCount: number): number {
    const { places } = this
    const { out } = this.#protocol
    const offset = out.place(byteLength)
    writeArgument(places.headerSlab(place), places.headerOffset(place), byteLength)
    const opcode = this.#hasImmediate ? SendOpcode.writeWithImmediate : SendOpcode.write
    const at = places.record(place, opcode, entryCount, HEADER_BYTES + byteLength)
    const words = this.#words
    writeRemoteAddress(words, at, this.#ring, offset)
    words[at + SEND.remoteKey] = this.#key
    words[at + SEND.immediate] = out.produced
    return at
  }

  /** On iWARP: stages a Send with the position after the Write before it. */
  #ringDoorbell(place: number): void {
    if (this.#hasImmediate) return
    const { places } = this
    writeUint32(places.placeSlab, places.placeOffset(place) + HEADER_BYTES, this.#protocol.out.produced)
    const at = places.record(place, SendOpcode.send, 1, DOORBELL_BYTES)
    places.headerEntry(at, 0, place, DOORBELL_BYTES, HEADER_BYTES)
  }
}
