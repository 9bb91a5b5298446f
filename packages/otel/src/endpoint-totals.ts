/** Sums over the endpoints of a pool that never decrease, although endpoints leave the list with their counters. */
import { formatAddress } from '@netts/core'
import type { EndpointStats } from '@netts/pool'

interface Totals {
  readonly acquired: number
  readonly waitMs: number
}

const NOTHING: Totals = { acquired: 0, waitMs: 0 }

const sum = (one: Totals, other: Totals): Totals => ({
  acquired: one.acquired + other.acquired,
  waitMs: one.waitMs + other.waitMs,
})

/** The sums of the counters of a pool's endpoints, those that left the list included. */
export class EndpointTotals {
  /** The sums of the counters of endpoints that left the list. */
  #gone = NOTHING
  #present = new Map<string, Totals>()

  /** The sums now. */
  of(endpoints: readonly EndpointStats[]): Totals {
    const present = new Map<string, Totals>()
    for (const { address, acquired, waitMs } of endpoints) {
      present.set(formatAddress(address), { acquired, waitMs: waitMs.sumMs })
    }
    for (const [address, before] of this.#present) {
      const now = present.get(address)
      // An endpoint that left and came back between two calls counts from 0 again.
      if (now === undefined || now.acquired < before.acquired) this.#gone = sum(this.#gone, before)
    }
    this.#present = present
    return [...present.values()].reduce(sum, this.#gone)
  }
}
