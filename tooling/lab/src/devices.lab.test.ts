/** What every command in the lab can rely on, checked with the system's own verbs tools. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { devicesFromEnvironment } from './devices.js'

const run = promisify(execFile)
const devices = devicesFromEnvironment()

/** Starts a server, and the client as soon as the server listens; returns the client's output. */
async function pingPong(server: string[], client: string[]): Promise<string> {
  const [serverProgram = '', ...serverArguments] = server
  const listening = spawn(serverProgram, serverArguments, { stdio: 'ignore' })
  try {
    await delay(1_500) // these tools do not say when they listen
    const [clientProgram = '', ...clientArguments] = client
    const { stdout } = await run(clientProgram, clientArguments, { timeout: 60_000 })
    if (listening.exitCode === null) await once(listening, 'exit')
    assert.equal(listening.exitCode, 0)
    return stdout
  } finally {
    listening.kill('SIGKILL')
  }
}

test('there is a device to test on', () => {
  assert.notEqual(devices.length, 0)
})

for (const { name, type, address } of devices) {
  test(`${name}: rping`, async () => {
    const common = ['-a', address, '-C', '10', '-v']
    const output = await pingPong(['rping', '-s', ...common], ['rping', '-c', ...common])
    assert.equal(output.match(/^ping data/gm)?.length, 10)
  })

  test(`${name}: ib_send_lat`, async () => {
    // Events instead of polling: two processes that spin need two cores. iWARP needs the connection manager.
    const common = ['ib_send_lat', '-d', name, '-e', '-n', '200', '-F', ...(type === 'siw' ? ['-R'] : [])]
    const output = await pingPong(common, [...common, address])
    assert.match(output, /t_typical/)
  })
}
