/** Handshakes that strangers begin and do not go on with: bounded in number and time, and nobody else is held up. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Transport, TransportBuilder, TransportListener } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { tcp } from '@netts/tcp'
import { afterEach, describe, expect, it } from 'vitest'
import { type TlsOptions, type TlsTransport, tls } from '../src/index.js'
import { Authority } from './certificates.js'
import { ANYWHERE, closed, middle, receive, send } from './support.js'

const authority = new Authority('netts test authority')
const ca = authority.cert
const server = authority.issue({ name: 'server', altNames: 'IP:127.0.0.1' })

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function listen(options: TlsOptions = {}, backlog?: number): Promise<TransportListener<TlsTransport>> {
  const listener = await tls(tcp(), { ...server, ...options }).listen(
    ANYWHERE,
    backlog === undefined ? {} : { backlog },
  )
  closing.push(() => listener.close())
  return listener
}

/** Somebody who connects without TLS. */
async function stranger(listener: TransportListener<TlsTransport>): Promise<Socket> {
  const socket = connect(listener.address as typeof ANYWHERE)
  socket.on('error', () => {})
  closing.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Resolves when the socket is closed, with or without an error. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}

async function checkServes(listener: TransportListener<TlsTransport>): Promise<void> {
  const near = await tls(tcp(), { ca }).connect(listener.address, { timeoutMs: 25_000 })
  const far = (await listener.accept())!
  expect(far.remoteAddress).toEqual(near.localAddress)
  await send(near, Buffer.from('served'))
  expect(String(await receive(far, 6))).toBe('served')
  near.destroy()
  far.destroy()
}

/** A ClientHello as a client of node:tls sends it. */
async function clientHello(): Promise<Buffer> {
  const listener = await tcp().listen(ANYWHERE)
  const socket = connectTls({ ...(listener.address as typeof ANYWHERE), ca })
  socket.on('error', () => {})
  const plain = (await listener.accept())!
  const hello = await receive(plain, 200)
  socket.destroy()
  plain.destroy()
  await listener.close()
  return hello
}

describe('what is no handshake', () => {
  const garbage: Readonly<Record<string, Buffer>> = {
    'a request of HTTP': Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    zeros: Buffer.alloc(4096),
    'a record that announces more than there may be': Buffer.from([22, 3, 1, 255, 255, 1, 0, 0, 0]),
    'an alert': Buffer.from([21, 3, 3, 0, 2, 2, 40]),
    'application data': Buffer.concat([Buffer.from([23, 3, 3, 0x10, 0]), Buffer.alloc(0x1000, 7)]),
  }
  for (const [name, bytes] of Object.entries(garbage)) {
    it(`${name}: it is closed, and the next one is served`, async () => {
      const listener = await listen()
      const socket = await stranger(listener)
      socket.write(bytes)
      socket.resume()
      await gone(socket)
      await checkServes(listener)
    })
  }

  it('random bytes of any length, and hellos with a byte changed, end the same way', async () => {
    const listener = await listen({ handshakeTimeoutMs: 200 })
    const hello = await clientHello()
    let state = 1
    const random = (below: number) => {
      state = (state * 1103515245 + 12345) & 0x7fffffff
      return state % below
    }
    for (let round = 0; round < 60; round++) {
      const bytes = round % 2 ? Buffer.from(hello) : Buffer.alloc(1 + random(600))
      if (round % 2) bytes[random(bytes.length)]! ^= 1 << random(8)
      else for (let i = 0; i < bytes.length; i++) bytes[i] = random(256)
      const socket = await stranger(listener)
      socket.end(bytes)
      socket.resume()
      await gone(socket)
    }
    await checkServes(listener)
  })
})

describe('a client that falls silent', () => {
  it('is given up after handshakeTimeoutMs, wherever it stops', async () => {
    const hello = await clientHello()
    const listener = await listen({ handshakeTimeoutMs: 100 })
    for (const byteLength of [0, 1, 5, 100, hello.length]) {
      const socket = await stranger(listener)
      if (byteLength > 0) socket.write(hello.subarray(0, byteLength))
      socket.resume()
      await gone(socket)
    }
    await checkServes(listener)
  })

  it('is given up although it sends a byte now and then', async () => {
    const hello = await clientHello()
    const listener = await listen({ handshakeTimeoutMs: 150 })
    const socket = await stranger(listener)
    let sent = 0
    const drip = setInterval(() => socket.write(hello.subarray(sent, ++sent)), 20)
    socket.resume()
    await gone(socket)
    clearInterval(drip)
    expect(sent).toBeLessThan(hello.length)
  })

  it('holds up nobody: others are served meanwhile', async () => {
    const listener = await listen()
    for (let i = 0; i < 50; i++) await stranger(listener)
    await checkServes(listener)
  })

  it('holds up nobody where as many as there may be are silent', async () => {
    const listener = await listen({ maxHandshakes: 4 })
    const strangers: Socket[] = []
    for (let i = 0; i < 9; i++) strangers.push((await stranger(listener)).resume())
    await checkServes(listener)
    expect(strangers.filter((socket) => socket.closed).length).toBeGreaterThanOrEqual(4)
  })

  it('in thousands leaves no more under way than there may be, and others are served behind them', async () => {
    const maxHandshakes = 256
    const { builder, underWay } = counting(tcp())
    const listener = await tls(builder, server).listen(ANYWHERE, { backlog: 4000 })
    closing.push(() => listener.close())
    const hello = await clientHello()
    let most = 0
    for (let i = 0; i < 1500; i++) {
      const socket = await stranger(listener)
      socket.write(hello.subarray(0, i % hello.length))
      socket.resume()
      most = Math.max(most, underWay())
    }
    await checkServes(listener)
    expect(most).toBe(maxHandshakes)
  })
})

/** A builder whose accepted transports are counted as long as they are open. */
function counting(below: TransportBuilder): { builder: TransportBuilder; underWay(): number } {
  const accepted = new Set<Transport>()
  return {
    builder: {
      ...below,
      async listen(...parameters) {
        const listener = await below.listen(...parameters)
        const accept = listener.accept.bind(listener)
        listener.accept = async (options) => {
          const transport = await accept(options)
          if (transport) accepted.add(transport)
          return transport
        }
        return listener
      },
    },
    underWay() {
      for (const transport of accepted) if (transport.pollDisconnect()) accepted.delete(transport)
      return accepted.size
    },
  }
}

describe('a burst of clients', () => {
  it('of more than handshakes may be under way is served as a whole', async () => {
    const listener = await listen({ maxHandshakes: 3 })
    const dial = tls(tcp(), { ca })
    const clients = Array.from({ length: 40 }, () => dial.connect(listener.address))
    const accepted = await Promise.all(clients.map(() => listener.accept()))
    for (const transport of [...(await Promise.all(clients)), ...accepted]) {
      expect(transport!.state).toBe('open')
      transport!.destroy()
    }
  })
})

describe('an attempt that is aborted', () => {
  it('within its handshake leaves nothing behind, on either side', async () => {
    const listener = await listen()
    const wire = await middle(listener.address)
    closing.push(() => wire.close())
    // It waits for an answer that never comes.
    wire.change = (bytes, from) => (from === 'server' ? Buffer.alloc(0) : bytes)
    const controller = new AbortController()
    const attempt = tls(tcp(), { ca }).connect(wire.address, { signal: controller.signal })
    attempt.catch(() => {})
    while (wire.links.length === 0 || wire.links[0]![0].bytesRead === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const [near] = wire.links[0]!
    const isClosed = gone(near)
    controller.abort(new Error('never mind'))
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    await isClosed
    await checkServes(listener)
  })

  it('by its deadline, within its handshake, rejects with ERR_NETTS_TIMEOUT', async () => {
    const silent = await tcp().listen(ANYWHERE)
    closing.push(() => silent.close())
    const attempt = tls(tcp(), { ca }).connect(silent.address, { timeoutMs: 100 })
    const plain = (await silent.accept())!
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    expect((await closed(plain))?.code).toBe('ERR_NETTS_RESET')
  })
})

describe('a listener that is closed', () => {
  it('gives up the handshakes under way, at once', async () => {
    const listener = await listen()
    const socket = await stranger(listener)
    socket.resume()
    socket.write('\x16')
    await new Promise((resolve) => setTimeout(resolve, 20))
    await listener.close()
    await gone(socket)
    expect(await listener.accept()).toBeUndefined()
  })

  it('passes on that the listener below broke', async () => {
    const mock = createMockNetwork().builder()
    const broken = new Error('the device is gone')
    const builder = {
      ...mock,
      async listen(...parameters: Parameters<typeof mock.listen>) {
        const below = await mock.listen(...parameters)
        below.accept = () => Promise.reject(broken)
        return below
      },
    }
    const listener = await tls(builder, server).listen(ANYWHERE)
    await expect(listener.accept()).rejects.toMatchObject({ code: 'ERR_NETTS_INTERNAL', cause: broken })
    await listener.close()
  })
})
