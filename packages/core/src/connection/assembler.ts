/** Assembles a message that lies in several chunks. */

/** The least memory that is allocated, however few bytes have arrived. */
const MIN_CAPACITY_BYTES = 4096
/** The most memory that is kept for the next message, so that an idle connection does not hold the size of a large one. */
const MAX_SPARE_BYTES = 1 << 20

/**
 * Assembles one message at a time. Its memory depends on the bytes that arrived, never on the bytes that a peer announced:
 * it is at most twice as much, or as much as this peer has filled before.
 */
export class Assembler {
  /** How many bytes of the payload have arrived. */
  arrivedBytes = 0
  #announcedBytes = 0
  #memory: Uint8Array | undefined
  #spare: Uint8Array | undefined
  #largestBytes = 0

  /** Memory in use and in reserve, in bytes. */
  get heldBytes(): number {
    return (this.#memory?.byteLength ?? 0) + (this.#spare?.byteLength ?? 0)
  }

  /** Starts a message of `announcedBytes`. */
  begin(announcedBytes: number): void {
    this.#announcedBytes = announcedBytes
    this.arrivedBytes = 0
  }

  /**
   * Adds payload from `source`, starting at `from`.
   * @returns where in `source` the payload, or the source, ends
   */
  add(source: Uint8Array, from: number, sourceEnd: number): number {
    const end = Math.min(sourceEnd, from + this.#announcedBytes - this.arrivedBytes)
    if (end === from) return end
    const arrived = this.arrivedBytes + end - from
    const memory = this.#withCapacity(arrived)
    memory.set(
      from === 0 && end === source.byteLength ? source : source.subarray(from, end),
      this.arrivedBytes,
    )
    this.arrivedBytes = arrived
    return end
  }

  get isComplete(): boolean {
    return this.arrivedBytes === this.#announcedBytes
  }

  /** Returns the memory of the complete message, which may be longer than the message. It belongs to the caller. */
  finish(): Uint8Array {
    const memory = this.#memory ?? new Uint8Array(0)
    this.#largestBytes = Math.max(this.#largestBytes, this.#announcedBytes)
    this.#memory = undefined
    this.arrivedBytes = this.#announcedBytes = 0
    return memory
  }

  /** Takes back memory that {@link finish} returned, and keeps it for the next message unless it is too large. */
  recycle(memory: Uint8Array): void {
    if (memory.byteLength > MAX_SPARE_BYTES) return
    if (memory.byteLength > (this.#spare?.byteLength ?? 0)) this.#spare = memory
  }

  /** Forgets everything. */
  discard(): void {
    this.#memory = this.#spare = undefined
    this.arrivedBytes = this.#announcedBytes = 0
  }

  #withCapacity(byteLength: number): Uint8Array {
    const memory = this.#memory
    if (memory && memory.byteLength >= byteLength) return memory
    const trusted = Math.max(MIN_CAPACITY_BYTES, 2 * byteLength, this.#largestBytes)
    const capacity = Math.min(this.#announcedBytes, trusted)
    let larger = this.#spare
    if (larger && larger.byteLength >= capacity) this.#spare = undefined
    else larger = Buffer.allocUnsafe(capacity)
    if (memory) larger.set(memory.subarray(0, this.arrivedBytes))
    this.#memory = larger
    return larger
  }
}
