/** The wire is plain: a peer in another language speaks it, in both roles and both directions. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Connection, connect, type HostAddress, listen } from '@netts/core'
import { describe, expect, it } from 'vitest'
import { tcp } from '../src/index.js'
import { LOOPBACK, pattern } from './support.js'

const hasPython = spawnSync('python3', ['--version']).status === 0
const SIZES = [0, 1, 5, 64, 4096, 65_532, 65_536, 1_000_000]
const MESSAGES = 300

function startPython(
  role: 'connect' | 'listen',
  { host, port }: HostAddress,
): { child: ChildProcess; lines: Interface } {
  const script = fileURLToPath(new URL('python_peer.py', import.meta.url))
  const child = spawn('python3', [script, role, host, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, lines: createInterface(child.stdout!) }
}

/** Echoes what python sends, then has python echo what we send. */
async function converse(connection: Connection, child: ChildProcess, lines: Interface): Promise<void> {
  const verified = once(lines, 'line')
  const exited = once(child, 'exit')
  for (let i = 0; i < MESSAGES; i++) await connection.send((await connection.recv())!)
  const messages = Array.from({ length: 100 }, (_, i) => pattern(SIZES[i % SIZES.length]!, i))
  const sending = Promise.all(messages.map((message) => connection.send(message)))
  for (const message of messages) expect((await connection.recv())!.equals(message)).toBe(true)
  await sending
  connection.finish()
  expect(await connection.recv()).toBeUndefined()
  await connection.close()
  expect(await connection.closed).toBeUndefined()
  expect(await verified).toEqual(['verified'])
  expect(await exited).toEqual([0, null])
}

describe.skipIf(!hasPython)(
  hasPython ? 'a peer in python' : 'a peer in python (python3 is not installed here)',
  () => {
    it('connects, and exchanges messages both ways', async () => {
      await using listener = await listen(tcp(), LOOPBACK)
      const { child, lines } = startPython('connect', listener.address as HostAddress)
      await converse((await listener.accept())!, child, lines)
    })

    it('listens, and exchanges messages both ways', async () => {
      const { child, lines } = startPython('listen', { host: '127.0.0.1', port: 0 })
      const [port] = (await once(lines, 'line')) as [string]
      await converse(await connect(tcp(), { host: '127.0.0.1', port: Number(port) }), child, lines)
    })
  },
)
