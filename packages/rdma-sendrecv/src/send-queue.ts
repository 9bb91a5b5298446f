/**
 * The sends of one transport: the work request of each frame. When they are posted, and how they complete, is in
 * `@netts/verbs/endpoint`.
 */
import type { BufferSlot } from '@netts/core/driver'
import { type QueuePair, SendOpcode } from '@netts/verbs'
import {
  copyParts,
  SendBuffers,
  SendPlaces,
  type SendSide,
  type TransportMemory,
} from '@netts/verbs/endpoint'
import { controlBytes, HEADER_BYTES, hasArgument, writeArgument } from './protocol/frame.js'

/** Bytes of each place: enough for a header, and for a control frame of any kind. */
const HEADER_STRIDE = 16

/** Options of a {@link SendQueue}. */
export interface SendQueueOptions {
  /** DATA frames that may be under way. */
  readonly depth: number
  /** Frames of up to so many bytes are posted inline. */
  readonly inlineThreshold: number
}

/** The send side of one transport. */
export class SendQueue implements SendSide {
  readonly places: SendPlaces
  /** The buffers into which data is copied. */
  readonly buffers: SendBuffers
  readonly #memory: TransportMemory

  /** @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when there is not enough memory */
  constructor(queuePair: QueuePair, memory: TransportMemory, options: SendQueueOptions) {
    this.#memory = memory
    this.buffers = new SendBuffers(memory, options.depth)
    const headerStride = HEADER_STRIDE
    try {
      this.places = new SendPlaces(queuePair, memory, this.buffers, { ...options, headerStride })
    } catch (error) {
      this.buffers.close()
      throw error
    }
  }

  /**
   * Copies bytes of `parts` into a buffer and stages them.
   * @param most at most so many bytes
   * @returns how many bytes; 0 when there is no buffer
   */
  stageCopy(parts: readonly Uint8Array[], most: number): number {
    const buffer = this.buffers.take()
    if (!buffer) return 0
    const { places } = this
    const filled = copyParts(parts, buffer.slab, buffer.byteOffset + HEADER_BYTES, most)
    const place = places.stageCopy(buffer, filled)
    const at = places.record(place, SendOpcode.send, 1, HEADER_BYTES + filled)
    places.entry(at, 0, buffer.regionId, buffer.byteOffset, HEADER_BYTES + filled)
    return filled
  }

  /** Stages part of a program's buffer, which the completion frees. */
  stageSlot(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    const { places } = this
    const regionId = this.#memory.environment.regionOf(slot.slab).id
    const place = places.stageSlot(slot, byteLength)
    const at = places.record(place, SendOpcode.send, 2, HEADER_BYTES + byteLength)
    places.headerEntry(at, 0, place, HEADER_BYTES)
    places.entry(at, 1, regionId, slot.byteOffset + byteOffset, byteLength)
  }

  stageControl(kind: number, argument: number): void {
    const { places } = this
    const place = places.stageControl(kind, controlBytes(kind))
    if (hasArgument(kind)) writeArgument(places.headerSlab(place), places.headerOffset(place), argument)
  }

  post(count: number): void {
    this.places.post(count)
  }

  close(): void {
    this.places.close()
    this.buffers.close()
  }
}
