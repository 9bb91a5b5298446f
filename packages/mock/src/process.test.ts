/** What is open keeps the process alive, as a socket does, and nothing else: programs, and the status they end with. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const cwd = fileURLToPath(new URL('..', import.meta.url))
const LIMIT_MS = 20_000

const SETUP = `
import { connect, createConnection, listen } from '@netts/core'
import { createMockNetwork, createVirtualClock } from '@netts/mock'
const address = { host: 'service', port: 80 }
const driver = createMockNetwork().builder()
`

const PAIR = `
const server = await listen(driver, address)
const client = await connect(driver, address)
const accepted = await server.accept()
`

/** @returns what the program printed, and its exit status; `hangs` when nothing ended it */
function run(program: string, hangsMs = LIMIT_MS): Promise<{ output: string; status: number | 'hangs' }> {
  return new Promise((resolve, reject) => {
    const { NODE_OPTIONS: _, ...env } = process.env
    const args = ['--conditions=@netts/source', '--import', 'tsx', '--input-type=module', '--eval', program]
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    let limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString()
      // It has begun: from here on only what it does takes time.
      clearTimeout(limit)
      limit = setTimeout(() => child.kill('SIGKILL'), hangsMs)
    })
    child.on('error', reject)
    child.on('close', (status) => {
      clearTimeout(limit)
      resolve({ output: output.trim(), status: status ?? 'hangs' })
    })
  })
}

describe('a program ends with status 0 that awaits', () => {
  it.each<[string, string]>([
    [
      'a message that comes later',
      `${PAIR}
      setTimeout(() => accepted.send(Buffer.from('late')), 50).unref()
      console.log(String(await client.recv()))
      await Promise.all([client.close(), accepted.close(), server.close()])`,
    ],
    [
      'the deadline of an attempt to connect',
      `const silent = createMockNetwork({ faults: { connect: 'never' } }).builder()
      console.log(await connect(silent, address, { timeoutMs: 50 }).catch((error) => error.code))`,
    ],
    [
      'the deadline of an attempt by a clock of its own',
      `const clock = createVirtualClock()
      const silent = createMockNetwork({ clock, faults: { connect: 'never' } }).builder()
      setTimeout(() => clock.advance(1000), 50).unref()
      console.log(await connect(silent, address, { timeoutMs: 1000 }).catch((error) => error.code))`,
    ],
    [
      'close, although the peer does not close',
      `${PAIR}
      await client.close()
      console.log('closed')
      accepted.unref()
      server.unref()
      client.destroy()`,
    ],
    [
      'the deadline of a close, with everything unref’d',
      `const server = await driver.listen(address)
      const client = await connect(driver, address, { closeTimeoutMs: 200 })
      const accepted = await server.accept()
      client.trySend(Buffer.alloc(10_000_000))
      for (const open of [client, accepted, server]) open.unref()
      void client.close()
      console.log((await client.closed).code)`,
    ],
    [
      'an accept that a close ends',
      `const server = await listen(driver, address)
      setTimeout(() => server.close(), 50).unref()
      console.log(await server.accept())`,
    ],
  ])('%s', async (_, program) => {
    expect(await run(SETUP + program)).toMatchObject({ status: 0, output: /./ })
  })
})

it.each<[string, string]>([
  ['a connection', `${PAIR} await server.close(); accepted.unref()`],
  ['a listener', `await listen(driver, address)`],
])('a program that forgets to close %s does not end', async (_, program) => {
  expect(await run(`${SETUP}${program}; console.log('done')`, 1000)).toEqual({
    status: 'hangs',
    output: 'done',
  })
})

it('what is unref’d keeps nothing alive', async () => {
  const program = `${PAIR} for (const open of [client, accepted, server]) open.unref(); console.log('done')`
  expect(await run(SETUP + program)).toEqual({ status: 0, output: 'done' })
})
