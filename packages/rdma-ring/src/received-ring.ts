/** This end's ring: the memory into which the peer writes, and the chunks in it, which the program reads in place. */
import { invalidArgument } from '@netts/core/driver'
import type { DeviceEnvironment, ReceiveSide } from '@netts/verbs/endpoint'
import type { RingConfig } from './options.js'
import type { RingEnd } from './protocol/ring-end.js'
import { RingMemory } from './ring-memory.js'

/** The receive side of one transport. */
export class ReceivedRing implements ReceiveSide {
  /** The memory, which is the only memory that the peer may write. */
  readonly memory: RingMemory
  /** Registered bytes; 0 once it is closed. */
  pinnedBytes: number
  /** Set by {@link open}. */
  #protocol!: RingEnd

  /** @throws NettsError as {@link RingMemory} */
  constructor(environment: DeviceEnvironment, config: RingConfig) {
    this.pinnedBytes = config.capacity
    this.memory = new RingMemory(environment, config)
  }

  /** The peer's hello was accepted. */
  open(protocol: RingEnd): void {
    this.#protocol = protocol
  }

  get queued(): number {
    return this.#protocol.chunks.queued
  }

  /**
   * Takes a doorbell: a frame was written up to this position.
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

  /** Releases a chunk. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` */
  release(index: number): void {
    if (!this.#protocol.chunks.isOut(index)) {
      throw invalidArgument(`chunkIndex ${index} is not handed out, or was released before`, 'repostRecv')
    }
    this.#protocol.release(index)
  }

  /** Makes the key invalid. What was received stays readable. */
  close(): void {
    this.memory.close()
    this.pinnedBytes = 0
  }
}
