/**
 * What it costs to borrow an idle connection from one pool and to give it back, one after the other, without signals or
 * stacks. Runs in a process of its own, takes the pool's id, and prints nanoseconds of processor time as JSON.
 */
import { type PoolUnderTest, STARTS } from './contenders.js'

const CYCLES = 300_000

/** @returns nanoseconds of the whole process for one borrowing */
async function measure({ cycle }: PoolUnderTest): Promise<number> {
  const before = process.cpuUsage()
  for (let n = 0; n < CYCLES; n++) await cycle()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / CYCLES
}

const pool = await STARTS[process.argv[2]!]!()
// The first time warms up.
await measure(pool)
process.stdout.write(JSON.stringify({ cycle: await measure(pool) }))
await pool.end()
// The connections in memory have another end, which stays open.
process.exit(0)
