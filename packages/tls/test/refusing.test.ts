/** Who is refused: each kind of certificate that is not valid, on either side, and what both sides learn. */
import { channel } from 'node:diagnostics_channel'
import { createSecureContext } from 'node:tls'
import { inspect } from 'node:util'
import { DIAGNOSTICS_CHANNELS, type NettsError, type TransportListener } from '@netts/core'
import { tcp } from '@netts/tcp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TlsOptions, type TlsTransport, tls } from '../src/index.js'
import { Authority, type Issued, selfSigned } from './certificates.js'
import { ANYWHERE, closed, receive, send } from './support.js'

const authority = new Authority('netts test authority')
const stranger = new Authority('nobody knows it')
const ca = authority.cert
const altNames = 'DNS:localhost,IP:127.0.0.1'
const server = authority.issue({ name: 'server', altNames })
const client = authority.issue({ name: 'client' })

const closing: (() => unknown)[] = []
const failures: NettsError[] = []
const onFailure = (message: unknown) => failures.push((message as { error: NettsError }).error)

beforeEach(() => {
  failures.length = 0
  channel(DIAGNOSTICS_CHANNELS.listenerError).subscribe(onFailure)
})
afterEach(async () => {
  channel(DIAGNOSTICS_CHANNELS.listenerError).unsubscribe(onFailure)
  for (const close of closing.splice(0).reverse()) await close()
})

async function listen(options: TlsOptions): Promise<TransportListener<TlsTransport>> {
  const listener = await tls(tcp(), options).listen(ANYWHERE)
  closing.push(() => listener.close())
  return listener
}

/** The listener still serves those who are fine, and has accepted nobody before. */
async function checkServes(listener: TransportListener<TlsTransport>, options: TlsOptions): Promise<void> {
  const [near, far] = await Promise.all([tls(tcp(), options).connect(listener.address), listener.accept()])
  expect(far!.remoteAddress).toEqual(near.localAddress)
  await send(near, Buffer.from('served'))
  expect(String(await receive(far!, 6))).toBe('served')
  near.destroy()
  far!.destroy()
}

describe('a client refuses a listener', () => {
  const cases: Readonly<Record<string, [Issued, string]>> = {
    'with another name': [
      authority.issue({ name: 'other', altNames: 'DNS:other.test' }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    'of an unknown authority': [
      stranger.issue({ name: 'server', altNames }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    'whose certificate has expired': [
      authority.issue({ name: 'server', altNames, days: -1 }),
      'CERT_HAS_EXPIRED',
    ],
    'that vouches for itself': [selfSigned({ name: 'server', altNames }), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  }
  for (const [name, [credentials, code]] of Object.entries(cases)) {
    it(name, async () => {
      const listener = await listen(credentials)
      for (const host of ['127.0.0.1', 'localhost']) {
        const attempt = tls(tcp(), { ca }).connect({ ...(listener.address as typeof ANYWHERE), host })
        await expect(attempt).rejects.toMatchObject({
          code: 'ERR_NETTS_TLS',
          operation: 'connect',
          address: { host },
          cause: { code },
        })
      }
      const options = { ca, rejectUnauthorized: false }
      const anyway = await tls(tcp(), options).connect(listener.address)
      expect(anyway.tls.authorizationError).toBe(code)
      anyway.destroy()
    })
  }

  it('without a certificate: it cannot listen', async () => {
    await expect(tls(tcp()).listen(ANYWHERE)).rejects.toMatchObject({ code: 'ERR_NETTS_INVALID_ARGUMENT' })
  })

  it('that does not speak TLS', async () => {
    const listener = await tcp().listen(ANYWHERE)
    closing.push(() => listener.close())
    const attempt = tls(tcp(), { ca }).connect(listener.address)
    const plain = await listener.accept()
    await send(plain!, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(attempt).rejects.toMatchObject({
      code: 'ERR_NETTS_TLS',
      cause: { code: expect.stringMatching(/^ERR_SSL_/) },
    })
    // Behind the hello, an alert, and the end.
    await receive(plain!)
    expect(plain!.recvEnded).toBe(true)
    plain!.destroy()
  })

  it('of which checkServerIdentity says so, or throws', async () => {
    const listener = await listen(server)
    const reason = new Error('not the one I meant')
    for (const checkServerIdentity of [
      () => reason,
      () => {
        throw reason
      },
    ]) {
      const attempt = tls(tcp(), { ca, checkServerIdentity }).connect(listener.address)
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_NETTS_TLS', cause: reason })
    }
  })

  it('although the environment says to trust everybody', async () => {
    const [credentials] = cases['that vouches for itself']!
    const listener = await listen(credentials)
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      await expect(tls(tcp(), { ca }).connect(listener.address)).rejects.toMatchObject({
        code: 'ERR_NETTS_TLS',
      })
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
    }
  })
})

describe('a listener refuses a client', () => {
  const required: TlsOptions = { ...server, ca, requestCert: true }
  const cases: Readonly<Record<string, TlsOptions>> = {
    'without a certificate': {},
    'of an unknown authority': stranger.issue({ name: 'client' }),
    'whose certificate has expired': authority.issue({ name: 'client', days: -1 }),
    'that vouches for itself': selfSigned({ name: 'client' }),
  }
  for (const [name, credentials] of Object.entries(cases)) {
    it(`${name}: it is never accepted, its transport fails behind connect, and others are served`, async () => {
      const listener = await listen(required)
      const near = await tls(tcp(), { ca, ...credentials }).connect(listener.address)
      await send(near, Buffer.from('from a stranger'))
      const error = await closed(near)
      expect(['ERR_NETTS_TLS', 'ERR_NETTS_RESET']).toContain(error?.code)
      await checkServes(listener, { ca, ...client })
      expect(failures.length).toBe(1)
      expect(failures[0]).toMatchObject({ code: 'ERR_NETTS_TLS', operation: 'accept' })
    })
  }

  it('without a certificate: the client is told that it needs one', async () => {
    const listener = await listen(required)
    const near = await tls(tcp(), { ca }).connect(listener.address)
    expect(await closed(near)).toMatchObject({
      code: 'ERR_NETTS_TLS',
      cause: { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' },
    })
    expect(failures[0]?.message).toMatch(/peer did not return a certificate.*\S$/)
  })

  it('with nothing in common in ALPN', async () => {
    const listener = await listen({ ...server, ALPNProtocols: ['a'] })
    const attempt = tls(tcp(), { ca, ALPNProtocols: ['b'] }).connect(listener.address)
    await expect(attempt).rejects.toMatchObject({
      code: 'ERR_NETTS_TLS',
      cause: { code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' },
    })
    await checkServes(listener, { ca, ALPNProtocols: ['a'] })
  })

  it('for whose name SNICallback fails, throws, or gives what is no context', async () => {
    for (const SNICallback of [
      (_name: string, done: (error: Error) => void) => done(new Error('no such name')),
      () => {
        throw new Error('a bug')
      },
      async () => {
        throw new Error('a bug behind await')
      },
      (_name: string, done: (error: null, context: never) => void) => done(null, {} as never),
    ]) {
      const listener = await listen({ ...server, SNICallback })
      const { port } = listener.address as typeof ANYWHERE
      const attempt = tls(tcp(), { ca }).connect({ host: 'localhost', port })
      await expect(attempt).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_NETTS_(CONNECT_FAILED|TLS)$/),
      })
      await checkServes(listener, { ca })
    }
  })

  it('that is none of those that the context of SNICallback knows', async () => {
    const context = createSecureContext({ ...server, ca: stranger.cert })
    const listener = await listen({ ...required, SNICallback: (_name, done) => done(null, context) })
    const { port } = listener.address as typeof ANYWHERE
    const near = await tls(tcp(), { ca, ...client }).connect({ host: 'localhost', port })
    const error = await closed(near)
    expect(['ERR_NETTS_TLS', 'ERR_NETTS_RESET']).toContain(error?.code)
    expect(failures[0]).toMatchObject({ code: 'ERR_NETTS_TLS', operation: 'accept' })
    // The context is asked for by name only: without one, the authorities of the listener count.
    await checkServes(listener, { ca, ...client })
  })
})

describe('options are refused before anything happens', () => {
  const cases: Readonly<Record<string, [unknown, RegExp]>> = {
    'a misspelt name': [{ requestCerts: true }, /did you mean 'requestCert'/],
    'a certificate without its key': [{ cert: server.cert }, /given together/],
    'a key of another certificate': [{ cert: server.cert, key: client.key }, /credentials cannot be used/],
    'a certificate that is none': [{ cert: 'x', key: server.key }, /credentials cannot be used/],
    'a certificate of another type': [{ cert: 1, key: 2 }, /credentials cannot be used/],
    'requestCert without ca': [{ ...server, requestCert: true }, /needs ca/],
    'a version that is too old': [{ minVersion: 'TLSv1.1' }, /minVersion must be one of/],
    'ciphers that do not exist': [{ ciphers: 'NONSENSE' }, /credentials cannot be used/],
    'no protocol': [{ ALPNProtocols: [] }, /ALPNProtocols/],
    'a protocol of 256 bytes': [{ ALPNProtocols: ['x'.repeat(256)] }, /ALPNProtocols/],
    'no handshakes': [{ maxHandshakes: 0 }, /maxHandshakes/],
    'a handshake for ever': [{ handshakeTimeoutMs: 0 }, /handshakeTimeoutMs/],
    'an empty servername': [{ servername: '' }, /servername/],
    'a callback that is none': [{ SNICallback: 'x' }, /SNICallback/],
    'a send size of nothing': [{ maxSendSize: 1 }, /maxSendSize/],
  }
  for (const [name, [options, message]] of Object.entries(cases)) {
    it(name, () => {
      expect(() => tls(tcp(), options as TlsOptions)).toThrow(
        expect.objectContaining({
          code: 'ERR_NETTS_INVALID_ARGUMENT',
          message: expect.stringMatching(message),
        }),
      )
    })
  }

  it('credentials of another type, without quoting the secret', () => {
    for (const secret of [{ passphrase: 20241125 }, { key: 20241125 }]) {
      let error: unknown
      try {
        tls(tcp(), { ...server, ...secret } as never)
      } catch (thrown) {
        error = thrown
      }
      expect(error).toMatchObject({ code: 'ERR_NETTS_INVALID_ARGUMENT' })
      expect(inspect(error)).not.toContain('20241125')
    }
  })

  it('no builder', () => {
    expect(() => tls(tcp as never)).toThrow(expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }))
  })

  it('a path without a name to verify', async () => {
    await expect(tls(tcp(), { ca }).connect({ path: '/nowhere' })).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
      message: expect.stringMatching(/servername/),
    })
  })
})
