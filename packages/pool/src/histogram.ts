/** How long callers waited, in buckets that double. */

/** Counts of times. */
export interface TimeHistogram {
  /** The upper bound of each bucket but the last, in milliseconds; the last bucket has none. */
  readonly boundsMs: readonly number[]
  /** How many times fell into each bucket: above the bound before, up to its own. */
  readonly counts: readonly number[]
  /** How many times were counted. */
  readonly count: number
  /** The sum of all times, in milliseconds. */
  readonly sumMs: number
  /** The longest time, in milliseconds. */
  readonly maxMs: number
}

/** Nothing waited, then 1 ms to 16 s, doubling. */
const BOUNDS_MS: readonly number[] = Object.freeze([0, ...Array.from({ length: 15 }, (_, n) => 2 ** n)])

/** Counts times as they come. */
export class Histogram {
  readonly #counts: number[] = new Array(BOUNDS_MS.length + 1).fill(0)
  #sumMs = 0
  #maxMs = 0

  /** Somebody was served at once. */
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
