/** The device suite on the simulated device, in both modes; each round of each test has a seed of its own. */
import { deviceSuite } from '../device-suite/device-suite.js'
import { Fabric } from './fabric.js'

/** Declares the suite for both modes. */
export function simulatedSuite(runner: {
  readonly describe: (name: string, body: () => void) => void
  readonly it: (name: string, body: () => Promise<void>) => void
  readonly rounds: number
}): void {
  for (const mode of ['roce', 'iwarp'] as const) {
    let seed = 0
    deviceSuite({
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
