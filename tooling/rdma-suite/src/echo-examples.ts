/** A driver's echo examples, as their users run them: two processes, on each device of the lab. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { labDevices } from './lab-devices.js'

/** Declares the tests. @param folder of the examples */
export function echoExamples(folder: URL): void {
  const example = (name: string) => fileURLToPath(new URL(`${name}.ts`, folder))
  const run = (name: string, ...args: string[]) =>
    spawn(process.execPath, ['--conditions=@netts/source', '--import', 'tsx', example(name), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })

  describe('the echo examples', () => {
    for (const { name, address } of labDevices()) {
      it(`echo over ${name}`, { timeout: 120_000 }, async () => {
        const server = run('echo-server', '0.0.0.0', '18515')
        try {
          await once(server.stdout!, 'data')
          const client = run('echo-client', address)
          let printed = ''
          client.stdout?.on('data', (chunk) => {
            printed += String(chunk)
          })
          const [status] = await once(client, 'close')
          assert.equal(status, 0)
          assert.equal(printed, 'hello\n')
        } finally {
          server.kill()
          await once(server, 'exit')
        }
      })
    }
  })
}
