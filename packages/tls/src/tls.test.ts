/** Handshakes: what both sides know after one, and who is refused. */
import { connect, createConnection, listen } from '@netts/core'
import { tcp } from '@netts/tcp'
import { expect, it } from 'vitest'
import { Authority } from '../test/certificates.js'
import { tls } from './tls.js'

const authority = new Authority('netts test authority')
const server = authority.issue({ name: 'server', altNames: 'DNS:localhost,IP:127.0.0.1' })

it('carries messages', async () => {
  const listener = await listen(tls(tcp(), server), { host: '127.0.0.1', port: 0 })
  const client = await connect(tls(tcp(), { ca: authority.cert }), listener.address)
  const accepted = await listener.accept()
  await client.send(Buffer.from('hello'))
  expect(String(await accepted!.recv())).toBe('hello')
  await Promise.all([client.close(), accepted!.close()])
  expect(await client.closed).toBeUndefined()
  expect(await accepted!.closed).toBeUndefined()
  await listener.close()
})
