/**
 * How many receives for data are wanted at a time: few at first, twice as many whenever the peer has nearly used
 * them up, half as many whenever it left most of them alone for a while.
 */

/** The peer keeps the window busy when no more than this part of it is left. */
const BUSY_PART = 1 / 4

/** The policy. It posts nothing itself. */
export class ReceiveWindow {
  /** Receives wanted now. */
  size: number
  readonly least: number
  readonly most: number
  /** As far as it grows before the next tick. */
  limited: number
  /** The fewest that were left since the last {@link tick}. */
  private fewestLeft: number

  /**
   * @param least where it begins, and where it returns to
   * @param most as far as it grows
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
   * @param left receives for data that are posted still
   * @returns whether {@link size} grew
   */
  onUsed(left: number): boolean {
    if (left < this.fewestLeft) this.fewestLeft = left
    if (left > this.size * BUSY_PART || this.size >= this.limited) return false
    this.size = Math.min(this.size * 2, this.limited)
    return true
  }

  /** Growing failed for want of memory: wants no more than this until the next {@link tick}. */
  limit(size: number): void {
    this.size = Math.max(this.least, Math.min(this.size, size))
    this.limited = this.size
  }

  /** Time passed. @param left receives for data that are posted now */
  tick(left: number): void {
    this.limited = this.most
    const used = this.size - this.fewestLeft
    if (used * 2 <= this.size * BUSY_PART) this.size = Math.max(this.least, this.size >> 1)
    this.fewestLeft = Math.min(left, this.size)
  }
}
