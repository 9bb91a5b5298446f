/** Suites on the simulated device, in both modes; each round of each test has a seed of its own. */

import { Fabric } from '../lib/simulated/fabric.js'
import type { DeviceSuiteOptions } from './device-suite/bench.js'

/** Declares a suite for both modes. */
export function onSimulatedDevices(
  suite: (options: DeviceSuiteOptions) => void,
  runner: Pick<DeviceSuiteOptions, 'describe' | 'it' | 'rounds'>,
): void {
  for (const mode of ['roce', 'iwarp'] as const) {
    let seed = 0
    suite({
      ...runner,
      name: `simulated ${mode}`,
      open() {
        const schedule = ++seed % 2 === 1 ? 'fair' : 'hostile'
        const fabric = new Fabric({ mode, seed, schedule })
        const client = fabric.createHost({ name: 'client' })
        const server = fabric.createHost({ name: 'server' })
        return {
          client,
          server,
          serverHost: server.address,
          async settle(promise) {
            try {
              return await fabric.settle(promise)
            } catch (error) {
              throw new Error(
                `with seed ${fabric.seed} (${mode}): ${String(error)}. The last steps:\n${fabric.trace}`,
                { cause: error },
              )
            }
          },
        }
      },
    })
  }
}
