/** Runs a test over many schedules; the seed of one that fails is reported, and replays. */
import type { Schedule, SimulatedFabric, SimulationMode } from './contract.js'
import { Fabric } from './fabric.js'

/** Names the one seed to run. */
const REPLAY_VARIABLE = 'NETTS_SIMULATION_SEED'

/** Options of {@link forEachSeed}. */
export interface SeedOptions {
  /** The kind of devices. */
  readonly mode: SimulationMode
  /** How many seeds to run. */
  readonly count: number
  /** The first seed; the others follow it. @default 1 */
  readonly first?: number
  /** How the next step is chosen. @default 'fair' for odd seeds, 'hostile' for even ones */
  readonly schedule?: Schedule
}

/**
 * Runs `body` on a fabric of its own for each seed, one after the other. With the environment variable
 * `NETTS_SIMULATION_SEED` it runs that seed only.
 *
 * Rejects at the first failure, with an error that names the seed and the last 200 steps; its `cause` is what failed.
 */
export async function forEachSeed(
  { mode, count, first = 1, schedule }: SeedOptions,
  body: (fabric: SimulatedFabric) => Promise<void>,
): Promise<void> {
  const replayed = process.env[REPLAY_VARIABLE]
  const seeds = replayed ? [Number(replayed)] : Array.from({ length: count }, (_, index) => first + index)
  for (const seed of seeds) {
    const fabric = new Fabric({ mode, seed, schedule: schedule ?? (seed % 2 === 1 ? 'fair' : 'hostile') })
    try {
      await fabric.settle(body(fabric))
    } catch (error) {
      throw new Error(
        `failed with seed ${seed} in mode ${mode}: ${String(error)}\nReplay it with ${REPLAY_VARIABLE}=${seed}. The last steps:\n${fabric.trace}`,
        { cause: error },
      )
    }
  }
}
