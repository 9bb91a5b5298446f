/** The device suite on the simulated device, in both modes, over many schedules. */
import { describe, it } from 'vitest'
import { deviceSuite } from '../device-suite/device-suite.js'
import { createSimulatedFabric } from '../simulated.js'

const ROUNDS = 40

for (const mode of ['roce', 'iwarp'] as const) {
  let seed = 0
  deviceSuite({
    name: `simulated ${mode}`,
    describe,
    it,
    rounds: ROUNDS,
    open() {
      const fabric = createSimulatedFabric({ mode, seed: ++seed })
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
            throw new Error(`with seed ${fabric.seed} (${mode}): ${String(error)}\n${fabric.trace}`, {
              cause: error,
            })
          }
        },
      }
    },
  })
}
