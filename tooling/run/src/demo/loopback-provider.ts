/**
 * RDMA rows where a machine has no RDMA: the real drivers over the real addon, between two processes, over a stand-in for
 * libibverbs and librdmacm. The addon loads its libraries once, so such a row takes processes of its own.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { loopbackEnvironment, loopbackIsMissing } from '@netts/loopback'
import type { Row } from './row.js'

/** How long the provider's wire takes each way. */
export const WIRE_NS = 1000
/** Set in the processes of such a row. */
const VARIABLE = 'NETTS_DEMO_LOOPBACK'

/** Whether this process is to use the provider. */
export function usesLoopbackProvider(): boolean {
  return process.env[VARIABLE] === 'true'
}

/** Whether such rows can be had here: the provider is built with a compiler, and not within itself. */
export function mayUseLoopbackProvider(): boolean {
  return !usesLoopbackProvider() && !loopbackIsMissing()
}

/**
 * Runs this program again for one transport, over the provider.
 * @throws Error when it prints no row
 */
export async function runOverLoopbackProvider(name: string): Promise<Row> {
  const program = process.argv[1]!
  const child = spawn(process.execPath, [...process.execArgv, program, '--transport', name, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...loopbackEnvironment({ latencyNs: WIRE_NS }), [VARIABLE]: 'true' },
  })
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
  const [row] = JSON.parse(output) as Row[]
  if (!row) throw new Error(`${name} printed no row`)
  return row
}
