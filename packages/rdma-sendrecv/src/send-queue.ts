/** The sends of one transport: what each frame is to the device. When they leave and how they end is the kit's. */
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

/** Room for a header, and a control frame of any kind. */
const HEADER_STRIDE = 16

/** How a {@link SendQueue} is made. */
export interface SendQueueOptions {
  /** Data frames that may be under way. */
  readonly depth: number
  /** Frames up to so many bytes go inline. */
  readonly inlineThreshold: number
}

/** See above. */
export class SendQueue implements SendSide {
  readonly places: SendPlaces
  readonly buffers: SendBuffers
  readonly #memory: TransportMemory

  /** @throws NettsError when the least memory can't be had */
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
   * @returns how many; 0 when there is no buffer
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

  /** Stages part of a program's buffer, which is freed when it is complete. */
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
