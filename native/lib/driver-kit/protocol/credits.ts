/**
 * Flow control: who may send, and when the other end has to be told.
 *
 * There is one number in each direction, the count of receives ever posted. It only grows, it wraps at 2^32, and each
 * frame carries it. Every frame uses up one receive, whatever its kind, so the difference to the count of frames ever
 * sent is what may still be sent.
 *
 * Nothing depends on the size of the window, which may grow and shrink at will.
 */

/**
 * How many receives a frame must leave unused, by urgency: each kind leaves room for all that are more urgent,
 * so that the end can be said whatever the data does. CREDIT needs only one, since whatever it grants comes back
 * with the count on what the peer sends then.
 */
export const RESERVE = {
  /** DATA, and what can wait as well. */
  data: 3,
  credit: 2,
  fin: 1,
  /** DONE or RESET: one of them is the last frame. */
  last: 0,
} as const

/**
 * How many receives must be unannounced for a CREDIT frame, where there is nothing better to go by: half of the window,
 * but no more than 16, so that of a large one little lies idle. Two at least, so that two ends that only answer each
 * other's CREDIT frames come to rest: each such frame costs the other end one receive, and grants two.
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
 * @param due how many must be unannounced for a CREDIT frame; at least 2. @default dueAt(window)
 */
export function receivesFor(window: number, due: number = dueAt(window)): number {
  return window + RESERVE.data + due - 1
}

/** The fewest receives that an end can do with. */
export const LEAST_POSTED: number = receivesFor(1)

/** What the peer lets this end send. */
export class SendCredits {
  /** Frames ever sent, modulo 2^32. */
  sent = 0
  /** The count the peer told last. */
  posted: number
  readonly maxPosted: number

  /**
   * @param posted the count in the peer's hello
   * @param maxPosted the most that the peer may have posted at a time, by its hello
   */
  constructor(posted: number, maxPosted: number) {
    this.posted = posted >>> 0
    this.maxPosted = maxPosted
  }

  /** Receives that are posted at the peer and that no frame is on its way to. */
  get available(): number {
    return (this.posted - this.sent) >>> 0
  }

  /** Whether a frame with this {@link RESERVE} may go. */
  allows(reserve: number): boolean {
    return this.available > reserve
  }

  /** A frame goes. */
  onSent(): void {
    this.sent = (this.sent + 1) >>> 0
  }

  /**
   * The peer told its count.
   * @returns whether it may be true: it never shrinks, and never says more than the peer can have posted
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
  /** The count that the peer was told last. */
  announced: number

  /** @param posted as said in the hello */
  constructor(posted: number) {
    this.posted = posted >>> 0
    this.announced = this.posted
  }

  /** Receives that the peer does not know of yet. */
  get unannounced(): number {
    return (this.posted - this.announced) >>> 0
  }

  /** Receives were posted. */
  onPosted(count: number): void {
    this.posted = (this.posted + count) >>> 0
  }

  /** The count goes out with a frame. @returns it */
  announce(): number {
    this.announced = this.posted
    return this.posted
  }

  /**
   * Whether the peer has to be told, if need be by a frame of its own.
   * @param due how many must be unannounced for that
   * @param unposted as many more that could be posted
   */
  isDue(due: number, unposted = 0): boolean {
    return this.unannounced + unposted >= due
  }
}
