/**
 * What it costs to borrow an idle connection and to give it back, one after the other, without signals or stacks. Prints a
 * table: medians over interleaved rounds, by the processor time of this process, since other programs take some of the
 * rest.
 */
import Table from 'cli-table3'
import { POOL_CONTENDERS, type PoolUnderTest } from './contenders.js'

const CYCLES = 200_000
const ROUNDS = 7

/** @returns nanoseconds for one borrowing */
async function measure({ cycle }: PoolUnderTest): Promise<number> {
  const before = process.cpuUsage()
  for (let n = 0; n < CYCLES; n++) await cycle()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / CYCLES
}

function median(values: readonly number[]): number {
  return [...values].sort((one, two) => one - two)[Math.floor(values.length / 2)]!
}

const rows = await Promise.all(
  POOL_CONTENDERS.map(async ({ title, start }) => ({ title, pool: await start(), ns: [] as number[] })),
)
// The first round warms up.
for (let round = 0; round <= ROUNDS; round++) {
  for (const { pool, ns } of rows) {
    const taken = await measure(pool)
    if (round > 0) ns.push(taken)
  }
}

const table = new Table({ head: ['pool', 'ns', 'M/s', `of ${rows[0]!.title}`] })
const first = median(rows[0]!.ns)
for (const { title, ns } of rows) {
  const each = median(ns)
  table.push([title, each.toFixed(0), (1000 / each).toFixed(2), `${(first / each).toFixed(2)} ×`])
}
console.log(table.toString())
for (const { pool } of rows) await pool.end()
process.exit(0)
