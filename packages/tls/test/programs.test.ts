/** Programs that know nothing of netts talk to `tls(tcp())`: openssl and curl. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostAddress, TransportListener } from '@netts/core'
import { createStream } from '@netts/stream'
import { tcp } from '@netts/tcp'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type TlsOptions, type TlsTransport, tls } from '../src/index.js'
import { Authority } from './certificates.js'
import { ANYWHERE, closed, receive, send, until } from './support.js'

const authority = new Authority('netts test authority')
const ca = authority.cert
const server = authority.issue({ name: 'server', altNames: 'DNS:localhost,IP:127.0.0.1' })
const client = authority.issue({ name: 'client' })

// In CI there has to be one.
const hasCurl = process.env.CI === 'true' || spawnSync('curl', ['--version']).status === 0

let folder = ''
const file = (name: string) => join(folder, name)
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netts-tls-'))
  writeFileSync(file('ca.pem'), ca)
  writeFileSync(file('client.pem'), client.cert)
  writeFileSync(file('client.key'), client.key)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function listen(options: TlsOptions = {}): Promise<TransportListener<TlsTransport> & { port: number }> {
  const listener = await tls(tcp(), { ...server, ...options }).listen(ANYWHERE)
  closing.push(() => listener.close())
  return Object.assign(listener, { port: (listener.address as HostAddress).port })
}

/** `openssl s_client`, connected to a listener; what is written to its input is sent, except for its commands. */
function openssl(port: number, ...options: string[]): ChildProcess & { readonly printed: string } {
  const child = spawn(
    'openssl',
    [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-CAfile',
      file('ca.pem'),
      '-verify_return_error',
      ...options,
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  const it = Object.assign(child, { printed: '' })
  for (const output of [child.stdout!, child.stderr!]) {
    output.on('data', (bytes: Buffer) => {
      it.printed += String(bytes)
    })
  }
  closing.push(() => child.kill())
  return it
}

async function printed(program: ReturnType<typeof openssl>, text: string): Promise<void> {
  while (!program.printed.includes(text)) {
    await new Promise((resolve) => program.stdout!.once('data', resolve))
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode)
    else child.once('close', resolve)
  })
}

describe('openssl s_client', () => {
  it('sends, receives and ends cleanly', async () => {
    const listener = await listen()
    const program = openssl(listener.port, '-quiet', '-no_ign_eof')
    const far = (await listener.accept())!
    program.stdin!.write('to the server\n')
    expect(String(await receive(far, 14))).toBe('to the server\n')
    await send(far, Buffer.from('to the client\n'))
    // At the end of its input it ends, whatever it has not printed.
    await printed(program, 'to the client\n')
    program.stdin!.end()
    await receive(far)
    expect(far.recvEnded).toBe(true)
    far.disconnect()
    expect(await closed(far)).toBeUndefined()
    await ended(program)
  })

  it('shows a certificate to a listener that asks for one', async () => {
    const listener = await listen({ ca, requestCert: true })
    const program = openssl(listener.port, '-cert', file('client.pem'), '-key', file('client.key'))
    const far = (await listener.accept())!
    expect(far.tls.peerCertificate?.subject).toBe('CN=client')
    far.destroy()
    await ended(program)
  })

  it('is told that it needs a certificate', async () => {
    const listener = await listen({ ca, requestCert: true })
    const program = openssl(listener.port)
    expect(await ended(program)).not.toBe(0)
    expect(program.printed).toMatch(/certificate required/)
  })

  it('that speaks TLS 1.2 only is told so', async () => {
    const listener = await listen()
    const program = openssl(listener.port, '-tls1_2')
    expect(await ended(program)).not.toBe(0)
    expect(program.printed).toMatch(/protocol version/)
  })

  it('may change its keys, and ask for new ones of the server, again and again', async () => {
    const listener = await listen()
    const program = openssl(listener.port)
    const far = (await listener.accept())!
    for (let round = 0; round < 5; round++) {
      // Commands of s_client: K changes both sides' keys, k its own.
      program.stdin!.write(round % 2 ? 'k\n' : 'K\n')
      await new Promise((resolve) => setTimeout(resolve, 20))
      program.stdin!.write(`round ${round}\n`)
      expect(String(await receive(far, 8))).toBe(`round ${round}\n`)
      await send(far, Buffer.from(`answer ${round}\n`))
      await printed(program, `answer ${round}\n`)
    }
    expect(program.printed).toContain('KEYUPDATE')
    far.destroy()
    await ended(program)
  })

  it('may not negotiate anew under TLS 1.2: the connection fails', async () => {
    const listener = await listen({ minVersion: 'TLSv1.2' })
    const program = openssl(listener.port, '-tls1_2')
    const far = (await listener.accept())!
    program.stdin!.write('before\n')
    expect(String(await receive(far, 7))).toBe('before\n')
    program.stdin!.write('R\n')
    expect(await closed(far)).toMatchObject({ code: 'ERR_NETTS_TLS' })
    await ended(program)
  })

  it('that is killed is an error', async () => {
    const listener = await listen()
    const program = openssl(listener.port)
    const far = (await listener.accept())!
    program.kill('SIGKILL')
    expect((await closed(far))?.code).toBe('ERR_NETTS_RESET')
  })
})

describe('openssl s_server', () => {
  it('serves a client of ours', async () => {
    writeFileSync(file('server.pem'), server.cert)
    writeFileSync(file('server.key'), server.key)
    const program = spawn(
      'openssl',
      ['s_server', '-accept', '127.0.0.1:0', '-cert', file('server.pem'), '-key', file('server.key'), '-rev'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    closing.push(() => program.kill())
    let printed = ''
    const port = await new Promise<number>((resolve) => {
      program.stdout.on('data', (bytes: Buffer) => {
        printed += String(bytes)
        const match = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(printed)
        if (match) resolve(Number(match[1]))
      })
    })
    const near = await tls(tcp(), { ca }).connect({ host: '127.0.0.1', port })
    await send(near, Buffer.from('abc\n'))
    expect(String(await receive(near, 4))).toBe('cba\n')
    near.disconnect()
    await until(near, () => near.pollDisconnect())
    expect(near.error).toBeUndefined()
  })
})

describe.skipIf(!hasCurl)(`curl${hasCurl ? '' : ' (skipped: it is not installed)'}`, () => {
  it('fetches from an HTTP server over tls(tcp())', async () => {
    const body = 'x'.repeat(1_000_000)
    const http = createServer((request, response) => response.end(request.url === '/large' ? body : 'small'))
    const listener = await listen({ ca, requestCert: true })
    void (async () => {
      for await (const transport of listener) http.emit('connection', createStream(transport))
    })()
    const url = `https://localhost:${listener.port}`
    const curl = (...options: string[]) =>
      new Promise<{ status: number | null; output: string }>((resolve) => {
        const child = spawn('curl', ['--silent', '--show-error', '--cacert', file('ca.pem'), ...options])
        let output = ''
        for (const from of [child.stdout, child.stderr]) {
          from.on('data', (bytes: Buffer) => {
            output += String(bytes)
          })
        }
        child.once('close', (status) => resolve({ status, output }))
      })
    const credentials = ['--cert', file('client.pem'), '--key', file('client.key')]
    expect(await curl(...credentials, `${url}/small`)).toEqual({ status: 0, output: 'small' })
    const both = await curl(...credentials, `${url}/small`, `${url}/large`)
    expect(both.status).toBe(0)
    expect(both.output).toBe(`small${body}`)
    const refused = await curl(`${url}/small`)
    expect(refused.status).not.toBe(0)
    expect(refused.output).toMatch(/certificate required|alert/)
  })
})
