/** Medians, spreads, and ratios between contenders of the same round. */

/** A figure over several rounds. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  /** By round, in their order. */
  readonly values: readonly number[]
}

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median =
    sorted.length % 2 === 1
      ? (sorted[middle] as number)
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
  return { median, min: sorted[0] as number, max: sorted[sorted.length - 1] as number, values }
}

/** The ratio of two figures round by round: what the machine did to a whole round cancels out. */
export function ratio(of: Pick<Spread, 'values'>, to: Pick<Spread, 'values'>): Spread {
  const rounds = Math.min(of.values.length, to.values.length)
  return spread(Array.from({ length: rounds }, (_, i) => (of.values[i] as number) / (to.values[i] as number)))
}

/** The difference of two figures round by round. */
export function difference(of: Spread, to: Spread): Spread {
  const rounds = Math.min(of.values.length, to.values.length)
  return spread(Array.from({ length: rounds }, (_, i) => (of.values[i] as number) - (to.values[i] as number)))
}
