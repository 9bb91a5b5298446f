/** What both sides agree on in a handshake, and know afterwards. */
import { createSecureContext } from 'node:tls'
import { connect, listen } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { createStream } from '@netts/stream'
import { tcp } from '@netts/tcp'
import { afterEach, describe, expect, it } from 'vitest'
import { type TlsOptions, tls } from '../src/index.js'
import { Authority } from './certificates.js'
import { ANYWHERE, closed, pair, receive, send } from './support.js'

const authority = new Authority('netts test authority')
const ca = authority.cert
const server = authority.issue({ name: 'server', altNames: 'DNS:localhost,IP:127.0.0.1' })
const client = authority.issue({ name: 'client' })

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function agreed(clientOptions: TlsOptions, serverOptions: TlsOptions) {
  const made = await pair(clientOptions, serverOptions)
  closing.push(made.close)
  return made
}

describe('transport.tls', () => {
  it('says protocol, cipher and whom it verified', async () => {
    const { client: near, server: far } = await agreed({ ca }, server)
    expect(near.tls).toMatchObject({ protocol: 'TLSv1.3', authorized: true, authorizationError: undefined })
    expect(near.tls.cipher).toMatch(/^TLS_/)
    expect(near.tls.peerCertificate?.subject).toBe('CN=server')
    expect(far.tls).toMatchObject({ protocol: 'TLSv1.3', authorized: false, authorizationError: undefined })
    expect(far.tls.peerCertificate).toBeUndefined()
  })

  it('says on both sides who the other one is, where both verify', async () => {
    const { client: near, server: far } = await agreed(
      { ...client, ca },
      { ...server, ca, requestCert: true },
    )
    expect(near.tls).toMatchObject({ authorized: true })
    expect(far.tls).toMatchObject({ authorized: true })
    expect(far.tls.peerCertificate?.subject).toBe('CN=client')
  })

  it('stays readable when the transport is closed', async () => {
    const { client: near, server: far } = await agreed({ ca }, server)
    near.destroy()
    await closed(far)
    expect(near.tls.peerCertificate?.subject).toBe('CN=server')
    expect(near.remoteAddress).toMatchObject({ host: '127.0.0.1' })
    expect(far.tls.protocol).toBe('TLSv1.3')
  })

  it('says what was wrong where nobody is refused', async () => {
    const other = new Authority('another authority')
    const stranger = other.issue({ name: 'stranger' })
    const lenient = { rejectUnauthorized: false }
    const { client: near, server: far } = await agreed(
      { ...stranger, ca: other.cert, ...lenient },
      { ...server, ca, requestCert: true, ...lenient },
    )
    expect(near.tls).toMatchObject({ authorized: false })
    expect(near.tls.authorizationError).toBe('SELF_SIGNED_CERT_IN_CHAIN')
    expect(far.tls).toMatchObject({ authorized: false })
    expect(far.tls.authorizationError).toBe('SELF_SIGNED_CERT_IN_CHAIN')
    expect(far.tls.peerCertificate?.subject).toBe('CN=stranger')
  })
})

describe('versions', () => {
  it('speaks TLS 1.2 only where both allow it', async () => {
    const lower = { minVersion: 'TLSv1.2' } as const
    const { client: near } = await agreed(
      { ca, ...lower, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      { ...server, ...lower },
    )
    expect(near.tls.protocol).toBe('TLSv1.3')
    const listener = await tls(tcp(), server).listen(ANYWHERE)
    closing.push(() => listener.close())
    const { connect: connectTls, TLSSocket } = await import('node:tls')
    const outdated = connectTls({ ...(listener.address as typeof ANYWHERE), ca, maxVersion: 'TLSv1.2' })
    expect(outdated).toBeInstanceOf(TLSSocket)
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => outdated.once('error', resolve))
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  })
})

describe('names', () => {
  it('asks for the host of the address, and for no name where that is an IP address', async () => {
    const listener = await tls(tcp(), server).listen(ANYWHERE)
    closing.push(() => listener.close())
    const { port } = listener.address as typeof ANYWHERE
    for (const [host, servername] of [
      ['localhost', 'localhost'],
      ['127.0.0.1', undefined],
    ] as const) {
      const [near, far] = await Promise.all([tls(tcp(), { ca }).connect({ host, port }), listener.accept()])
      expect(near.tls.servername).toBe(servername)
      expect(far!.tls.servername).toBe(servername)
      near.destroy()
      far!.destroy()
    }
  })

  it('asks for servername, and verifies that', async () => {
    const named = authority.issue({ name: 'named', altNames: 'DNS:db.internal' })
    const { server: far } = await agreed({ ca, servername: 'db.internal' }, named)
    expect(far.tls.servername).toBe('db.internal')
  })

  it('lets checkServerIdentity decide instead', async () => {
    const names: string[] = []
    const { client: near } = await agreed(
      {
        ca,
        servername: 'whatever',
        checkServerIdentity(name, cert) {
          names.push(name, cert.subject.CN as string)
          return undefined
        },
      },
      server,
    )
    expect(near.tls.authorized).toBe(true)
    expect(names).toEqual(['whatever', 'server'])
  })

  it('serves the certificate that SNICallback chooses', async () => {
    const one = authority.issue({ name: 'one', altNames: 'DNS:one.test' })
    const two = authority.issue({ name: 'two', altNames: 'DNS:two.test' })
    const contexts = new Map([
      ['one.test', createSecureContext(one)],
      ['two.test', createSecureContext(two)],
    ])
    const options: TlsOptions = {
      ...server,
      // Asynchronous, as one that looks it up would be.
      SNICallback: (name, done) => setImmediate(done, null, contexts.get(name)),
    }
    for (const name of ['one', 'two']) {
      const { client: near } = await agreed({ ca, servername: `${name}.test` }, options)
      expect(near.tls.peerCertificate?.subject).toBe(`CN=${name}`)
    }
  })
})

describe('ALPN', () => {
  it('agrees on the protocol that the listener prefers', async () => {
    const { client: near, server: far } = await agreed(
      { ca, ALPNProtocols: ['a', 'b'] },
      { ...server, ALPNProtocols: ['b', 'a'] },
    )
    expect([near.tls.alpnProtocol, far.tls.alpnProtocol]).toEqual(['b', 'b'])
  })

  it('agrees on none where one side has none', async () => {
    const { client: near, server: far } = await agreed({ ca, ALPNProtocols: ['a'] }, server)
    expect([near.tls.alpnProtocol, far.tls.alpnProtocol]).toEqual([undefined, undefined])
  })
})

describe('credentials', () => {
  it('can be replaced while a listener is open; connections live on', async () => {
    const builder = tls(tcp(), server)
    const listener = await builder.listen(ANYWHERE)
    closing.push(() => listener.close())
    const dial = tls(tcp(), { ca })
    const before = await Promise.all([dial.connect(listener.address), listener.accept()])
    const next = new Authority('next authority')
    builder.setCredentials(next.issue({ name: 'next', altNames: 'IP:127.0.0.1' }))
    await expect(dial.connect(listener.address)).rejects.toMatchObject({ code: 'ERR_NETTS_TLS' })
    dial.setCredentials({ ca: next.cert })
    const after = await Promise.all([dial.connect(listener.address), listener.accept()])
    expect(before[0].tls.peerCertificate?.subject).toBe('CN=server')
    expect(after[0].tls.peerCertificate?.subject).toBe('CN=next')
    for (const [near, far] of [before, after]) {
      await send(near, Buffer.from('still there'))
      expect(String(await receive(far!, 11))).toBe('still there')
      near.destroy()
      far!.destroy()
    }
  })

  it('stay as they are when new ones are refused', async () => {
    const builder = tls(tcp(), server)
    expect(() => builder.setCredentials({ cert: 'nonsense', key: server.key })).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT', cause: expect.any(Error) }),
    )
    expect(() => builder.setCredentials({ certs: [] } as object)).toThrow(/did you mean 'cert'/)
    const listener = await builder.listen(ANYWHERE)
    closing.push(() => listener.close())
    const near = await tls(tcp(), { ca }).connect(listener.address)
    expect(near.tls.peerCertificate?.subject).toBe('CN=server')
    near.destroy()
  })

  it('may be bytes, chains of several certificates, and keys with a passphrase', async () => {
    const { client: near } = await agreed(
      { ca: [Buffer.from(new Authority('another').cert), new Uint8Array(Buffer.from(ca))] },
      { cert: Buffer.from(server.cert + ca), key: Buffer.from(server.key) },
    )
    expect(near.tls.authorized).toBe(true)
  })
})

describe('what stands on it', () => {
  it('carries messages and streams as any driver does', async () => {
    const mock = createMockNetwork().builder()
    const listener = await listen(tls(mock, server), ANYWHERE)
    closing.push(() => listener.close())
    const near = await connect(tls(mock, { ca }), listener.address)
    const far = await listener.accept()
    await near.send(Buffer.alloc(300_000, 7))
    expect(await far!.recv()).toEqual(Buffer.alloc(300_000, 7))
    await Promise.all([near.close(), far!.close()])
    expect([await near.closed, await far!.closed]).toEqual([undefined, undefined])

    const { client: one, server: two } = await pair({ ca }, server)
    const [streamOne, streamTwo] = [createStream(one), createStream(two)]
    streamOne.end('over TLS')
    const parts: Buffer[] = []
    for await (const part of streamTwo) parts.push(part as Buffer)
    await listener.close()
    expect(String(Buffer.concat(parts))).toBe('over TLS')
  })

  it('has the name of both', () => {
    expect(tls(tcp()).name).toBe('tls(tcp)')
  })
})
