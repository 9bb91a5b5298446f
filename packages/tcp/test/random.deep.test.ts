/** Random schedules over real sockets for minutes: `NETTS_RANDOM_MINUTES` (10 unless told) from `NETTS_SEED`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runRandomSchedules } from '@netts/conformance'
import type { Address } from '@netts/core'
import { expect, it } from 'vitest'
import { tcp } from '../src/index.js'

const minutes = Number(process.env.NETTS_RANDOM_MINUTES ?? 10)
const seed = Number(process.env.NETTS_SEED ?? Math.floor(Math.random() * 2 ** 32))
const folder = mkdtempSync(join(tmpdir(), 'netts-random-'))
let paths = 0

const wires: { name: string; reset: boolean; listenAddress: () => Address }[] = [
  { name: 'tcp', reset: true, listenAddress: () => ({ host: '127.0.0.1', port: 0 }) },
  { name: 'unix', reset: false, listenAddress: () => ({ path: join(folder, String(paths++)) }) },
]

it.each(wires)(`$name passes random schedules for ${minutes / 2} min from seed ${seed}`, async (wire) => {
  const schedules = await runRandomSchedules(
    {
      name: wire.name,
      capabilities: { detectsPeerCrash: false, reset: wire.reset },
      setup: () => ({ builder: tcp(), listenAddress: wire.listenAddress }),
      seed,
    },
    (minutes / 2) * 60_000,
  )
  console.log(`${wire.name}: ${schedules} random schedules from seed ${seed}`)
  expect(schedules).toBeGreaterThan(0)
  if (wire === wires.at(-1)) rmSync(folder, { recursive: true, force: true })
})
