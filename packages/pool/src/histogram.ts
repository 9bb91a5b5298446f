/** A histogram of waiting times, with buckets whose bounds double. */

/** How often which times occurred, in buckets. It has the shape of a Prometheus histogram without the accumulation. */
export interface TimeHistogram {
  /**
   * The upper bounds of the buckets in milliseconds, in ascending order: 0, then 1 to 16384, doubling. The last bucket has
   * no bound, so that this array has one element less than {@link counts}.
   */
  readonly boundsMs: readonly number[]
  /**
   * How many times each bucket has: those above the bound before and up to its own. The first bucket counts callers that
   * did not have to wait.
   */
  readonly counts: readonly number[]
  /** How many times were counted in all. */
  readonly count: number
  /** The sum of all times, in milliseconds. */
  readonly sumMs: number
  /** The longest time, in milliseconds. */
  readonly maxMs: number
}

/** 0 for callers that did not wait, then 1 ms to 16384 ms, doubling. */
const BOUNDS_MS: readonly number[] = Object.freeze([0, ...Array.from({ length: 15 }, (_, n) => 2 ** n)])

/** Counts times as they come. */
export class Histogram {
  readonly #counts: number[] = new Array(BOUNDS_MS.length + 1).fill(0)
  #sumMs = 0
  #maxMs = 0

  /** Counts a caller that did not wait. */
  addNone(): void {
    this.#counts[0]!++
  }

  add(timeMs: number): void {
    let bucket = 1
    while (bucket < BOUNDS_MS.length && timeMs > BOUNDS_MS[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sumMs += timeMs
    this.#maxMs = Math.max(this.#maxMs, timeMs)
  }

  snapshot(): TimeHistogram {
    return {
      boundsMs: BOUNDS_MS,
      counts: [...this.#counts],
      count: this.#counts.reduce((sum, count) => sum + count, 0),
      sumMs: this.#sumMs,
      maxMs: this.#maxMs,
    }
  }
}
