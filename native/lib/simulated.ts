/**
 * `@netts/verbs/simulated`: the interface of `@netts/verbs` in memory, with a seeded scheduler that chooses among
 * everything that could happen next, virtual time, and faults at any step.
 *
 * @packageDocumentation
 */
import type { SimulatedFabric, SimulatedFabricOptions } from './simulated/contract.js'
import { Fabric } from './simulated/fabric.js'

export type {
  Schedule,
  SeededRandom,
  SimulatedCounters,
  SimulatedFabric,
  SimulatedFabricOptions,
  SimulatedHost,
  SimulatedHostOptions,
  SimulationMode,
} from './simulated/contract.js'
export { forEachSeed, type SeedOptions } from './simulated/seeds.js'

/** Makes a network with no hosts in it yet. */
export function createSimulatedFabric(options: SimulatedFabricOptions): SimulatedFabric {
  return new Fabric(options)
}
