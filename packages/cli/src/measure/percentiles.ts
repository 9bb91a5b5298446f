/** Percentiles of times. */

/** The distribution of times, in microseconds. */
export interface Times {
  readonly count: number
  readonly least: number
  readonly p50: number
  readonly p99: number
  readonly most: number
}

/** @param microseconds at least one; they are sorted in place */
export function timesOf(microseconds: number[]): Times {
  microseconds.sort((a, b) => a - b)
  const at = (share: number) => microseconds[Math.ceil(share * microseconds.length) - 1]!
  return { count: microseconds.length, least: microseconds[0]!, p50: at(0.5), p99: at(0.99), most: at(1) }
}
