/**
 * How many receives for data are wanted: few at first, twice as many whenever the peer has nearly used them up, half as
 * many whenever it did not use most of them for a while.
 */

/** When no more than this part of the window is left, the window is too small. */
const BUSY_PART = 1 / 4

/** The number of receives that are wanted. It posts nothing itself. */
export class ReceiveWindow {
  /** Receives for data that are wanted now. */
  size: number
  /** The least {@link size}. */
  readonly least: number
  /** The greatest {@link size}. */
  readonly most: number
  /** The greatest {@link size} until the next {@link tick}. */
  limited: number
  /** The fewest that were left since the last {@link tick}. */
  private fewestLeft: number

  /**
   * @param least the size at first, and when idle
   * @param most the greatest size
   */
  constructor(least: number, most: number) {
    this.least = least
    this.most = most
    this.size = least
    this.limited = most
    this.fewestLeft = least
  }

  /**
   * A receive was used up.
   * @param left receives for data that are still posted
   * @returns whether {@link size} grew
   */
  onUsed(left: number): boolean {
    if (left < this.fewestLeft) this.fewestLeft = left
    if (left > this.size * BUSY_PART || this.size >= this.limited) return false
    this.size = Math.min(this.size * 2, this.limited)
    return true
  }

  /** There was no memory to grow: {@link size} stays at most this until the next {@link tick}. */
  limit(size: number): void {
    this.size = Math.max(this.least, Math.min(this.size, size))
    this.limited = this.size
  }

  /**
   * To be called once a second: shrinks if most receives were not used.
   * @param left receives for data that are posted now
   */
  tick(left: number): void {
    this.limited = this.most
    const used = this.size - this.fewestLeft
    if (used * 2 <= this.size * BUSY_PART) this.size = Math.max(this.least, this.size >> 1)
    this.fewestLeft = Math.min(left, this.size)
  }
}
