/** The storm over the addon, on the loopback device. */
import { LOOPBACK_ADDRESS, LOOPBACK_DEVICE, loopbackTitle, useLoopback } from '@netts/loopback'
import { openVerbs } from '@netts/verbs'
import type { RdmaOptions } from '@netts/verbs/endpoint'
import { describe, expect, it } from 'vitest'
import { openCounts } from './open-counts.js'
import { type StormOptions, storm } from './storm.js'
import type { TestedDriver } from './tested-driver.js'

const TIMEOUT_MS = 300_000
/** Until everything that ended was given back. */
const RELEASE_MS = 20_000

/** Declares the test. */
export function stormOnLoopback<O extends RdmaOptions>(
  driver: TestedDriver<O>,
  options: StormOptions<O>,
): void {
  const isThere = useLoopback()
  const title = `${driver.name} on ${LOOPBACK_DEVICE}: a storm of ${options.connections} connections`
  describe.skipIf(!isThere)(loopbackTitle(title), () => {
    it(
      'half end by faults of their own, and the others pass every byte',
      async () => {
        const verbs = openVerbs()
        const before = openCounts('the process', verbs)
        const ends = await storm(driver, verbs, { host: LOOPBACK_ADDRESS, port: 0 }, options)
        console.log(`ends of the ${options.connections / 2} that failed: ${JSON.stringify(ends)}`)
        await expect
          .poll(() => openCounts('the process', verbs), { timeout: RELEASE_MS, interval: 100 })
          .toEqual(before)
      },
      TIMEOUT_MS,
    )
  })
}
