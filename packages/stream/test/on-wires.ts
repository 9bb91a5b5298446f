/** Runs tests over each of some transports: what is missing is a visible skip, and in CI a failure. */
import { describe } from 'vitest'
import { type Wire, wires } from './wires.js'

/** @param tests given the wire on which they are to run */
export function onWires(title: string, tests: (wire: Wire) => void, on: readonly Wire[] = wires): void {
  for (const wire of on) {
    const why = wire.missing === undefined ? '' : ` (skipped: ${wire.missing})`
    describe.skipIf(wire.missing !== undefined)(`${title} over ${wire.name}${why}`, () => tests(wire))
  }
}
