/** Sums over the endpoints of a pool that never fall, although endpoints leave the list and take their counters along. */
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

/** Remembers those that were there when it was last asked. */
export class EndpointTotals {
  /** What endpoints counted that are gone. */
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
      // One that came back between two looks begins from nothing.
      if (now === undefined || now.acquired < before.acquired) this.#gone = sum(this.#gone, before)
    }
    this.#present = present
    return [...present.values()].reduce(sum, this.#gone)
  }
}
