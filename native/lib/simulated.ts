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

/**
 * Makes a simulated network, without hosts: {@link SimulatedFabric.createHost} adds them. It keeps the process alive
 * only with `drive: 'auto'`, and only while a host has something open on which `ref()` was called.
 */
export function createSimulatedFabric(options: SimulatedFabricOptions): SimulatedFabric {
  return new Fabric(options)
}
