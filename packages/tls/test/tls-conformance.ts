/** The suite that every driver passes, under TLS. */
import { type ConformanceFixture, type ConformanceOptions, transportConformance } from '@netts/conformance'
import { describe, it } from 'vitest'

export type Wires = Readonly<Record<string, [() => ConformanceFixture, Partial<ConformanceOptions>?]>>

/** Runs the suite over each of these wires. */
export function tlsConformance(wires: Wires): void {
  for (const [name, [setup, more]] of Object.entries(wires)) {
    transportConformance({
      name: `tls over ${name}`,
      capabilities: { detectsPeerCrash: true, reset: true },
      // The wire below knows what has arrived; TLS does not.
      completionIsArrival: false,
      setup,
      describe,
      it,
      bulkByteLength: 2 ** 20,
      connections: 40,
      schedules: 6,
      ...more,
    })
  }
}
