/**
 * `@netts/verbs/simulated`: the interface of `@netts/verbs` in memory, with a seeded scheduler that chooses among
 * everything that could happen next, virtual time, and faults at any step.
 *
 * @packageDocumentation
 */
import { Fabric, type SimulatedFabricOptions } from './simulated/fabric.js'

export type { SimulatedCounters, SimulationMode } from './simulated/device.js'
export type { Fabric as SimulatedFabric, SimulatedFabricOptions } from './simulated/fabric.js'
export type { SimulatedHost, SimulatedHostOptions } from './simulated/host.js'
export type { Schedule } from './simulated/scheduler.js'
export { forEachSeed, type SeedOptions } from './simulated/seeds.js'

/** Makes a network with no hosts in it yet. */
export function createSimulatedFabric(options: SimulatedFabricOptions): Fabric {
  return new Fabric(options)
}
