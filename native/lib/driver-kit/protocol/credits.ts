/**
 * Flow control: whether a frame may be sent, and when the peer has to be told of new receives.
 *
 * There is one number in each direction, the count of receives ever posted. It only grows, modulo 2^32, and each frame
 * carries it. Every frame uses up one receive, whatever its kind, so this count less the count of frames ever sent is
 * how many frames may still be sent.
 *
 * The size of the window may change at any time: nothing depends on it.
 */

/**
 * How many receives of the peer a frame must leave unused. Each kind leaves room for every more urgent kind, so that a
 * connection can be ended whatever its data does. One place is enough for CREDIT: the peer's next frame returns it.
 */
export const RESERVE = {
  /** DATA, and other frames that can wait as long. */
  data: 3,
  /** CREDIT. */
  credit: 2,
  /** FIN. */
  fin: 1,
  /** DONE or RESET: one of them is the last frame. */
  last: 0,
} as const

/**
 * How many receives must be unannounced before a CREDIT frame is due, for drivers without a rule of their own: half of
 * the window, but at most 16, so that little of a large window is idle. At least 2, so that two ends do not answer each
 * other's CREDIT frames without end: such a frame uses up one receive of the other end, and grants two.
 *
 * @param window receives wanted for data
 */
export function dueAt(window: number): number {
  return Math.max(2, Math.min(window >> 1, 16))
}

/**
 * How many receives to post so that the peer can always have `window` frames of data under way: beside those, the
 * three of {@link RESERVE}, and as many as may be unannounced.
 *
 * @param window frames of data
 * @param due how many must be unannounced before a CREDIT frame is due; at least 2. @default dueAt(window)
 */
export function receivesFor(window: number, due: number = dueAt(window)): number {
  return window + RESERVE.data + due - 1
}

/** The fewest receives with which an end can work: those for a window of 1. */
export const LEAST_POSTED: number = receivesFor(1)

/** What the peer lets this end send. */
export class SendCredits {
  /** Frames ever sent, modulo 2^32. */
  sent = 0
  /** The peer's count of receives ever posted, as it said last, modulo 2^32. */
  posted: number
  /** The most receives that the peer may have posted at a time, by its hello. */
  readonly maxPosted: number

  /**
   * @param posted the count in the peer's hello
   * @param maxPosted the most receives that the peer may have posted at a time, by its hello
   */
  constructor(posted: number, maxPosted: number) {
    this.posted = posted >>> 0
    this.maxPosted = maxPosted
  }

  /** Receives that are posted at the peer and that no frame sent so far uses. */
  get available(): number {
    return (this.posted - this.sent) >>> 0
  }

  /** Whether a frame with this {@link RESERVE} may be sent. */
  allows(reserve: number): boolean {
    return this.available > reserve
  }

  /** Counts a frame that is sent. */
  onSent(): void {
    this.sent = (this.sent + 1) >>> 0
  }

  /**
   * Takes the count from a frame of the peer.
   * @returns false, with nothing changed, when it cannot be true: it shrank, or is more than the peer can have posted
   */
  onCount(posted: number): boolean {
    const growth = (posted - this.posted) >>> 0
    const available = this.available + growth
    if (available > this.maxPosted) return false
    this.posted = posted
    return true
  }
}

/** What this end lets the peer send. */
export class ReceiveCredits {
  /** Receives ever posted, modulo 2^32. */
  posted: number
  /** The count that was sent to the peer last. */
  announced: number

  /** @param posted the count in this end's hello */
  constructor(posted: number) {
    this.posted = posted >>> 0
    this.announced = this.posted
  }

  /** Receives of which the peer has not been told. */
  get unannounced(): number {
    return (this.posted - this.announced) >>> 0
  }

  /** Counts receives that were posted. */
  onPosted(count: number): void {
    this.posted = (this.posted + count) >>> 0
  }

  /** The count is sent with a frame. @returns the count, for the frame's header */
  announce(): number {
    this.announced = this.posted
    return this.posted
  }

  /**
   * Whether the peer has to be told, by a CREDIT frame if no other frame is sent.
   * @param due how many must be unannounced for that
   * @param unposted receives that could be posted now, which count as unannounced. @default 0
   */
  isDue(due: number, unposted = 0): boolean {
    return this.unannounced + unposted >= due
  }
}
