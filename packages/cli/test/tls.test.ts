/** `netts tunnel` with TLS on either side, over TCP and over RDMA: whom it serves, whom it refuses, and how it is called. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { loopbackIsMissing } from '@netts/loopback'
import { describe, expect, it } from 'vitest'
import { Authority } from '../../tls/test/certificates.js'
import { echoServer, folder, portOf } from './command.js'
import { netts } from './netts-process.js'

const authority = new Authority('netts test authority')
const server = authority.issue({ name: 'server', altNames: 'DNS:localhost,IP:127.0.0.1' })
const client = authority.issue({ name: 'client' })
const file = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const ca = ['--tls-ca', file('ca.pem', authority.cert)]
const asServer = ['--tls-cert', file('server.pem', server.cert), '--tls-key', file('server.key', server.key)]
const asClient = ['--tls-cert', file('client.pem', client.cert), '--tls-key', file('client.key', client.key)]

const wires = { tcp: undefined, ring: loopbackIsMissing() ? 'the loopback device was not built' : undefined }
for (const [scheme, missing] of Object.entries(wires)) {
  it.skipIf(missing)(
    `two tunnels with TLS over ${scheme} serve whom they know alone${missing ? ` (skipped: ${missing})` : ''}`,
    async () => {
      const service = await echoServer()
      const exit = await netts([
        ...['tunnel', '--listen', `${scheme}://127.0.0.1:0`, '--to', `tcp://127.0.0.1:${portOf(service)}`],
        ...['--tls-listen', '--tls-request-cert', ...asServer, ...ca],
      ])
      const [, port] = await exit.until(/:\/\/127\.0\.0\.1:(\d+)/)
      const between = `${scheme}://127.0.0.1:${port}`
      /** What comes back through a tunnel to the exit, up to its end. */
      const ask = async (...options: string[]) => {
        const path = join(folder, `${scheme}-${options.length}.sock`)
        const entry = await netts(['tunnel', '--listen', `unix:${path}`, '--to', between, ...options])
        await entry.until(/listening/)
        const socket = net.connect({ path, allowHalfOpen: true })
        socket.on('error', () => {})
        let answer = ''
        socket.on('data', (bytes: Buffer) => {
          answer += String(bytes)
        })
        socket.end('hello')
        await new Promise((resolve) => socket.once('close', resolve))
        entry.child.kill('SIGTERM')
        expect(await entry.ended).toBe(0)
        return { answer, stderr: entry.printed.stderr }
      }
      expect(await ask('--tls-to', ...asClient, ...ca)).toEqual({ answer: 'hello', stderr: '' })
      const stranger = await ask('--tls-to', ...ca)
      expect(stranger.answer).toBe('')
      expect(stranger.stderr).toMatch(/a connection to .* failed: .*ERR_NETTS_(TLS|RESET)/)
      const named = await ask('--tls-to', '--tls-servername', 'other.test', ...asClient, ...ca)
      expect(named.answer).toBe('')
      expect(named.stderr).toMatch(/altnames.*ERR_NETTS_TLS/)
      expect((await ask()).answer).toBe('')
      exit.child.kill('SIGTERM')
      expect(await exit.ended).toBe(0)
      service.close()
    },
  )
}

it('serves a client of node:tls, and warns beyond this machine that it does not authenticate clients', async () => {
  const service = await echoServer()
  const tunnel = await netts([
    ...['tunnel', '--listen', 'tcp://0.0.0.0:0', '--to', `tcp://127.0.0.1:${portOf(service)}`],
    ...['--tls-listen', ...asServer],
  ])
  const [, port] = await tunnel.until(/:\/\/0\.0\.0\.0:(\d+)/)
  const socket = connectTls({ host: '127.0.0.1', port: Number(port), ca: authority.cert })
  socket.end('hello')
  expect(String((await once(socket, 'data'))[0])).toBe('hello')
  await once(socket, 'close')
  expect(tunnel.printed.stderr).toMatch(/can use this tunnel; it does not authenticate clients/)
  tunnel.child.kill('SIGTERM')
  expect(await tunnel.ended).toBe(0)
  service.close()
})

describe('what is no use of --tls-*', () => {
  const plain = ['tunnel', '--listen', 'unix:/x', '--to', 'tcp://127.0.0.1:1']
  it.each([
    [ca, /need --tls-listen, --tls-to, or both/],
    [['--tls-listen', ...ca], /needs --tls-cert and --tls-key/],
    [['--tls-listen', ...asServer, '--tls-request-cert'], /needs --tls-listen and --tls-ca/],
    [['--tls-listen', ...asServer, '--tls-servername', 'x'], /needs --tls-to/],
    [['--tls-to', '--tls-ca', '/nowhere'], /no such file/],
    [['--tls-to', ...asServer.slice(0, 2)], /cert and key must be given together/],
    [['--tls-to', ...asServer.slice(0, 2), ...asClient.slice(2)], /credentials cannot be used/],
    [['--to', 'unix:/y', '--tls-to'], /needs --tls-servername if --to is a path/],
  ])('%# ends with status 2, and says why', async (options, why) => {
    const { ended, printed } = await netts([...plain, ...options])
    expect(await ended).toBe(2)
    expect(printed.stderr).toMatch(why)
    expect(printed.stdout).toBe('')
  })
})
