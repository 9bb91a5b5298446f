/** This end's ring: the memory that the peer writes, and the chunks in it that the program reads in place. */
import { invalidArgument } from '@netts/core/driver'
import type { DeviceEnvironment, ReceiveSide } from '@netts/verbs/endpoint'
import type { RingConfig } from './options.js'
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
    return this.#protocol.onDoorbell(this.memory.region.bytes, position)
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
