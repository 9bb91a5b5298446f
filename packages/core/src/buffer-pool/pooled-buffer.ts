/** The handle of one allocation. Each allocation has a new one, so that an old handle never reaches the next user. */
import { invalidArgument, NettsError } from '../errors.js'
import type { BufferPool, PooledBuffer } from './buffer-pool.js'
import { type BufferSlot, giveAwaySymbol, headroomSymbol, takeSlotSymbol } from './buffer-slot.js'
import type { Slot } from './slab-allocator.js'

const RELEASED = -1

/**
 * It takes 48 bytes of heap, and has only three fields for that reason. A private method that is not static would add
 * another field to each object, its brand.
 */
export class SlotHandle implements PooledBuffer {
  readonly #slot: Slot
  #byteLength: number
  // Bytes hidden in front of `bytes`, or RELEASED.
  #headroom = 0

  constructor(slot: Slot, byteLength: number) {
    this.#slot = slot
    this.#byteLength = byteLength
  }

  get bytes(): Uint8Array {
    if (this.#headroom === RELEASED) throw released('bytes')
    return this.#slot.view(this.#headroom, this.#byteLength)
  }

  get byteLength(): number {
    return this.#byteLength
  }

  get pool(): BufferPool {
    return this.#slot.owner.pool
  }

  release(): void {
    SlotHandle.#give(this, 'release').free()
  }

  [Symbol.dispose](): void {
    if (this.#headroom !== RELEASED) this.release()
  }

  /** Through `takeSlot`. */
  [takeSlotSymbol](): BufferSlot {
    if (this.#headroom > 0) {
      throw invalidArgument(
        'this buffer was allocated by a connection; send it with the `send` of that connection',
        'sendBuffer',
      )
    }
    return SlotHandle.#give(this, 'sendBuffer')
  }

  /** Through `setHeadroom`. */
  [headroomSymbol](headroom?: number): number {
    const present = this.#headroom
    if (headroom === undefined || present === RELEASED) return present
    this.#byteLength += present - headroom
    this.#headroom = headroom
    return present
  }

  /** Through `giveAway`. */
  [giveAwaySymbol](): SlotHandle {
    const headroom = this.#headroom
    const slot = SlotHandle.#give(this, 'send')
    const successor = new SlotHandle(slot, this.#byteLength)
    successor.#headroom = headroom
    slot.owner.leakDetector?.onGiveAway(successor, slot)
    return successor
  }

  static #give(handle: SlotHandle, operation: string): Slot {
    if (handle.#headroom === RELEASED) throw released(operation)
    handle.#headroom = RELEASED
    handle.#slot.owner.leakDetector?.onRelease(handle)
    return handle.#slot
  }
}

function released(operation: string): NettsError {
  return new NettsError('ERR_NETTS_BUFFER_RELEASED', 'this buffer was released or sent before', { operation })
}
