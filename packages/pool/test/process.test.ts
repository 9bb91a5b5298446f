/** What a pool keeps alive: a process of its own tells. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

/** A process that does not end by itself is ended before the test is given up. */
const TIMEOUT_MS = 20_000

const folder = fileURLToPath(new URL('..', import.meta.url))

const prelude = `
import { listen } from '@netts/core'
import { createPool } from '@netts/pool'
import { tcp } from '@netts/tcp'
const server = await listen(tcp(), { host: '127.0.0.1', port: 0 })
const accept = async () => { for await (const connection of server) connection.unref() }
accept()
server.unref()
const pool = createPool({ builder: tcp(), endpoints: [server.address], min: 2, acquireTimeoutMs: 300 })
await pool.ready()
`

async function run(program: string): Promise<string> {
  const args = [
    '--conditions=@netts/source',
    '--import',
    'tsx',
    '--input-type=module',
    '--eval',
    prelude + program,
  ]
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    env,
    timeout: TIMEOUT_MS,
  })
  return stdout
}

it('a pool that is not closed lets the process end', async () => {
  const program = `
const connection = await pool.acquire()
connection.release()
console.log(pool.stats.idle)`
  expect(await run(program)).toBe('2\n')
})

it('a program that waits for a connection is kept alive until its deadline', async () => {
  const program = `
await server.close()
for (const connection of server.connections) connection.destroy()
await new Promise((resolve) => setTimeout(resolve, 50))
console.log(await pool.acquire().catch((error) => error.code))`
  expect(await run(program)).toBe('ERR_NETTS_TIMEOUT\n')
})

it('a connection that is lent keeps the process alive', async () => {
  const program = `
const connection = await pool.acquire()
setTimeout(() => { console.log('still here'); connection.release() }, 200).unref()`
  expect(await run(program)).toBe('still here\n')
})
