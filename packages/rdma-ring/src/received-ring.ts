/** This end's ring: the memory that the peer writes, and the chunks in it that the program reads in place. */
import { invalidArgument } from '@netts/core/driver'
import { type DeviceEnvironment, FrameKind, type ReceiveSide, readPosted } from '@netts/verbs/endpoint'
import type { RingConfig } from './options.js'
import { checkData, HEADER_BYTES, readReleased } from './protocol/frame.js'
import type { RingEnd } from './protocol/ring-end.js'
import { RingMemory } from './ring-memory.js'

/** See above. */
export class ReceivedRing implements ReceiveSide {
  /** The only memory that the peer may write. */
  readonly memory: RingMemory
  /** Registered memory: none any more once it is closed. */
  pinnedBytes: number
  /** From the peer's hello on. */
  #protocol!: RingEnd

  /** @throws NettsError when the memory can't be had, as {@link RingMemory} says */
  constructor(environment: DeviceEnvironment, config: RingConfig) {
    this.pinnedBytes = config.capacity
    this.memory = new RingMemory(environment, config)
  }

  /** The peer said hello. */
  open(protocol: RingEnd): void {
    this.#protocol = protocol
  }

  get queued(): number {
    return this.#protocol.chunks.queued
  }

  /**
   * A doorbell says that a frame was written up to this position.
   * @returns what the peer did wrong, or `undefined`
   */
  onDoorbell(position: number): string | undefined {
    const protocol = this.#protocol
    const { bytes } = this.memory.region
    const byteLength = protocol.in.frameBytesTo(position)
    if (byteLength === 0) return `a frame up to position ${position} after ${protocol.in.received}`
    const offset = protocol.in.next & (bytes.length - 1)
    const problem =
      checkData(bytes, offset, byteLength) ??
      // The kind was checked, and the peer may write another one by now.
      protocol.onFrame(FrameKind.data, readPosted(bytes, offset), readReleased(bytes, offset))
    if (problem === undefined) protocol.onChunk(offset + HEADER_BYTES, byteLength - HEADER_BYTES, position)
    return problem
  }

  discardQueued(): void {
    this.#protocol.discardQueued()
  }

  /** The bytes of a chunk that is handed out. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` */
  bytes(index: number): Uint8Array {
    const { chunks } = this.#protocol
    if (!chunks.isOut(index)) throw invalidArgument(`chunkIndex ${index} is not handed out`, 'recvBuf')
    const offset = chunks.offset(index)
    return this.memory.region.bytes.subarray(offset, offset + chunks.byteLength(index))
  }

  /** Takes a chunk back. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` */
  release(index: number): void {
    if (!this.#protocol.chunks.isOut(index)) {
      throw invalidArgument(`chunkIndex ${index} is not handed out, or was released before`, 'repostRecv')
    }
    this.#protocol.release(index)
  }

  /** The key is void from now on; what was received stays readable. */
  close(): void {
    this.memory.close()
    this.pinnedBytes = 0
  }
}
