import { pbkdf2 } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import type { Address, NettsError } from '@netts/core'
import type { EndSignal } from '@netts/core/driver'
import { describe, expect, it } from 'vitest'
import { openListener, openPair, openSilentAddress, sleep, socketPath } from '../test/support.js'
import { connectFirst } from './dial.js'
import { tcp } from './index.js'
import { checkOptions } from './options.js'

/** How many sockets and lookups this process has. */
function inUse(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|Pipe|GetAddrInfo|Timeout/.test(name)).length
}

/** A port where nothing listens. */
async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** Keeps the event loop from anything else. */
function beBusy(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs)
}

/** Keeps the thread pool busy, so that a name lookup has to wait. */
function occupyThreadPool(): Promise<unknown> {
  const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4)
  return Promise.all(
    Array.from(
      { length: threads * 2 },
      () => new Promise((resolve) => pbkdf2('', '', 150_000, 64, 'sha512', resolve)),
    ),
  )
}

describe('a failed attempt says why', () => {
  it('when nothing listens', async () => {
    const port = await unusedPort()
    const address = { host: '127.0.0.1', port }
    await expect(tcp().connect(address)).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
      message: `connect to 127.0.0.1:${port} failed: nothing listens there (ECONNREFUSED)`,
      operation: 'connect',
      address,
      cause: { code: 'ECONNREFUSED' },
    })
  })

  it('when the name does not resolve', async () => {
    await expect(tcp().connect({ host: 'no-such-host.invalid', port: 9 })).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
      cause: { syscall: 'getaddrinfo' },
    })
  })

  it('when the path does not exist, or is no socket', async () => {
    const address = socketPath()
    await expect(tcp().connect(address)).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
      cause: { code: 'ENOENT' },
    })
    writeFileSync(address.path, '')
    await expect(tcp().connect(address)).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED' })
  })
})

const wrongShapes: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a string', '127.0.0.1:80'],
  ['no port', { host: '127.0.0.1' }],
  ['no host', { port: 80 }],
  ['port 0', { host: '127.0.0.1', port: 0 }],
  ['a port out of range', { host: '127.0.0.1', port: 65_536 }],
  ['a negative port', { host: '127.0.0.1', port: -1 }],
  ['a port as a string', { host: '127.0.0.1', port: '80' }],
  ['an empty host', { host: '', port: 80 }],
  ['both forms', { host: '127.0.0.1', port: 80, path: '/tmp/socket' }],
  ['an empty path', { path: '' }],
  ['a path with NUL', { path: '/tmp/a\0b' }],
  ['a path longer than the system allows', { path: `/tmp/${'x'.repeat(120)}` }],
]
for (const [what, address] of wrongShapes) {
  it(`refuses an address with the wrong shape: ${what}`, async () => {
    await expect(tcp().connect(address as Address)).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
  })
}

it('refuses a deadline or signal of the wrong type', async () => {
  const address = { host: '127.0.0.1', port: 9 }
  for (const options of [
    { timeoutMs: -1 },
    { timeoutMs: 1.5 },
    { timeoutMs: 2 ** 31 },
    { signal: {} as never },
    null as never,
  ]) {
    await expect(tcp().connect(address, options)).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
  }
})

describe('of several addresses', () => {
  const never: EndSignal = { aborted: false, reason: undefined, throwIfAborted() {}, onabort: undefined }
  const config = checkOptions()
  const asked = { host: 'several.example', port: 1 }

  it('the first that answers is taken, after others refused', async () => {
    const { address } = await openListener()
    const refused = { host: '127.0.0.1', port: await unusedPort() }
    const client = await connectFirst([refused, refused, address], asked, config, never)
    expect(client.remoteAddress).toEqual(address)
    client.destroy()
  })

  it('the first that answers is taken, while another is silent, and nothing is left of that', async () => {
    const listener = await openListener()
    const { address } = listener
    const silent = await openSilentAddress()
    await sleep(50)
    const before = inUse()
    const client = await connectFirst([silent, address], asked, config, never)
    expect(client.remoteAddress).toEqual(address)
    client.destroy()
    ;(await listener.accept())?.destroy()
    await sleep(50)
    expect(inUse()).toBeLessThanOrEqual(before)
  })

  it('all that failed are named when none answers', async () => {
    const targets = [await unusedPort(), await unusedPort()].map((port) => ({ host: '127.0.0.1', port }))
    const error: NettsError = await connectFirst(targets, asked, config, never).then(
      () => expect.unreachable(),
      (error) => error,
    )
    expect(error).toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED', address: asked })
    const { errors } = error.cause as AggregateError
    expect(errors.map(({ port }: { port?: number }) => port)).toEqual(targets.map(({ port }) => port))
  })

  it('a host name stands for all of its own', async (context) => {
    const addresses = await lookup('localhost', { all: true })
    for (const { address } of addresses) {
      const listener = await openListener({}, { host: address, port: 0 })
      const { port } = listener.address as { port: number }
      const client = await tcp().connect({ host: 'localhost', port })
      expect(client.remoteAddress).toEqual({ host: address, port })
      client.destroy()
    }
    if (addresses.length < 2) context.skip('localhost has one address here')
  })
})

describe('a deadline or an abort leaves nothing behind', () => {
  it('while the name is looked up', async () => {
    const listener = await openListener()
    const { port } = listener.address as { port: number }
    await sleep(50)
    const before = inUse()
    const busy = occupyThreadPool()
    const address = { host: 'localhost', port }
    await expect(tcp().connect(address, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      address,
    })
    const controller = new AbortController()
    const attempt = tcp().connect(address, { signal: controller.signal })
    setTimeout(() => controller.abort('changed my mind'), 20)
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED', cause: 'changed my mind' })
    await busy
    await lookup('localhost')
    await sleep(50)
    expect(inUse()).toBeLessThanOrEqual(before)
    const nobody = new AbortController()
    setTimeout(() => nobody.abort(), 50)
    await expect(listener.accept({ signal: nobody.signal })).rejects.toMatchObject({
      code: 'ERR_NETTS_ABORTED',
    })
  })

  it('while the handshake is under way', async () => {
    const address = await openSilentAddress()
    await sleep(50)
    const before = inUse()
    await expect(tcp().connect(address, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
    })
    const controller = new AbortController()
    const attempt = tcp().connect(address, { signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    await sleep(20)
    expect(inUse()).toBeLessThanOrEqual(before)
  })

  it('before it began', async () => {
    const listener = await openListener()
    await expect(tcp().connect(listener.address, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_NETTS_ABORTED',
    })
  })

  it('and an abort after the connection is made changes nothing', async () => {
    const listener = await openListener()
    const controller = new AbortController()
    const client = await tcp().connect(listener.address, { signal: controller.signal })
    controller.abort()
    await sleep(20)
    expect(client.state).toBe('open')
    client.destroy()
  })
})

it('knows both addresses at both ends', async () => {
  const { client, server } = await openPair()
  expect(client.localAddress).toEqual(server.remoteAddress)
  expect(client.remoteAddress).toEqual(server.localAddress)
  const path = socketPath()
  const unix = await openPair({}, path)
  expect(unix.client.remoteAddress).toEqual(path)
  expect(unix.server.localAddress).toEqual(path)
})

it('takes a connection that was made while the program was busy, although its deadline passed meanwhile', async () => {
  await using listener = await tcp().listen({ host: '127.0.0.1', port: 0 })
  const connecting = tcp().connect(listener.address, { timeoutMs: 100 })
  // The attempt has begun by then.
  await new Promise((resolve) => setImmediate(resolve))
  beBusy(300)
  const transport = await connecting
  expect(transport.state).toBe('open')
  transport.destroy()
})
