/** What is open keeps the process alive, as a socket does, and nothing else does: programs, and how they end. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Authority } from './certificates.js'

const authority = new Authority('netts test authority')
const credentials = JSON.stringify({
  ...authority.issue({ name: 'server', altNames: 'IP:127.0.0.1' }),
  ca: authority.cert,
})
const cwd = fileURLToPath(new URL('..', import.meta.url))
const LIMIT_MS = 25_000

const SETUP = `
import { tcp } from '@netts/tcp'
import { tls } from '@netts/tls'
const driver = tls(tcp(), ${credentials})
const listener = await driver.listen({ host: '127.0.0.1', port: 0 })
const dial = () => driver.connect(listener.address)
const pair = () => Promise.all([dial(), listener.accept()])
`

/** @returns what the program printed, and how it ended: `killed` when it did not by itself */
function run(program: string): Promise<{ output: string; end: number | string | null }> {
  return new Promise((resolve) => {
    const { NODE_OPTIONS: _, ...env } = process.env
    const parameters = ['--conditions=@netts/source', '--import', 'tsx', '--input-type=module', '--eval']
    const child = spawn(process.execPath, [...parameters, SETUP + program], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    let limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString()
      if (!output.includes('idle')) return
      clearTimeout(limit)
      limit = setTimeout(() => child.kill('SIGKILL'), 500)
    })
    child.on('close', (status, signal) => {
      clearTimeout(limit)
      resolve({ output: output.trim(), end: signal ? 'killed' : status })
    })
  })
}

describe('a program ends by itself', () => {
  it.each<[string, string]>([
    ['when everything is unreferenced', `for (const end of await pair()) end.unref(); listener.unref()`],
    [
      'when everything is closed',
      `const [near, far] = await pair()
      near.disconnect(); far.disconnect(); await listener.close()`,
    ],
    [
      'although a handshake that nobody goes on with is under way',
      `const { connect } = await import('node:net')
      const socket = connect(listener.address).on('error', () => {})
      await new Promise((resolve) => socket.once('connect', resolve))
      socket.unref()
      await new Promise((resolve) => setTimeout(resolve, 50))
      await listener.close()`,
    ],
  ])('%s', async (_, program) => {
    expect(await run(`${program}\nconsole.log('done')`)).toEqual({ output: 'done', end: 0 })
  })
})

describe('a program does not end', () => {
  it.each<[string, string]>([
    ['while it listens', ''],
    ['while a connection is open', `await pair(); listener.unref()`],
    [
      'while one that was unreferenced is referenced again',
      `const [near, far] = await pair()
      far.unref(); near.unref(); near.ref(); listener.unref()`,
    ],
  ])('%s', async (_, program) => {
    expect(await run(`${program}\nconsole.log('idle')`)).toEqual({ output: 'idle', end: 'killed' })
  })
})
