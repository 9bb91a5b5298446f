/** Tunnels between plain sockets, through each transport. */
import { once } from 'node:events'
import net from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Address, NettsError, type TransportBuilder } from '@netts/core'
import { LOOPBACK_ADDRESS, loopbackIsMissing, useLoopback } from '@netts/loopback'
import { createMockNetwork } from '@netts/mock'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { afterEach, describe, expect, it } from 'vitest'
import { openTunnel, type Tunnel } from '../src/index.js'

const anyPort = { host: '127.0.0.1', port: 0 }
const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A plain server, and where it listens. */
async function plainServer(
  onSocket: (socket: net.Socket) => void,
  options: net.ServerOpts = {},
): Promise<Address> {
  const server = net.createServer(options, (socket) => {
    socket.on('error', () => {})
    opened.push(() => socket.destroy())
    onSocket(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.push(() => server.close())
  return { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port }
}

async function plainClient(address: Address, options: { allowHalfOpen?: boolean } = {}): Promise<net.Socket> {
  const socket = net.connect({ ...(address as { host: string; port: number }), ...options })
  socket.on('error', () => {})
  opened.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Waits for `close`. @returns whether there was an error before it */
function closeOf(socket: net.Socket): Promise<boolean> {
  return new Promise((resolve) => socket.once('close', resolve))
}

interface Wire {
  readonly name: string
  readonly missing?: string | undefined
  readonly open: () => { builder: TransportBuilder; address: Address }
}
const wires: Wire[] = [
  { name: 'tcp', open: () => ({ builder: tcp(), address: anyPort }) },
  {
    name: 'mock',
    open: () => ({ builder: createMockNetwork().builder(), address: { host: 'there', port: 0 } }),
  },
  ...([sendRecv, ring] as const).map((build) => ({
    name: `${build().name}, loopback`,
    missing: loopbackIsMissing() ? 'the loopback device was not built' : undefined,
    open: () => {
      useLoopback()
      return { builder: build(), address: { host: LOOPBACK_ADDRESS, port: 0 } }
    },
  })),
]

for (const { name, missing, open } of wires) {
  describe.skipIf(missing)(`two tunnels over ${name}${missing ? ` (skipped: ${missing})` : ''}`, () => {
    /** Plain TCP in, the transport between, plain TCP out. */
    async function openBoth(service: Address): Promise<{ entry: Tunnel; exit: Tunnel; errors: unknown[] }> {
      const errors: unknown[] = []
      const onError = (error: Error) => errors.push(error)
      const { builder, address } = open()
      const exit = await openTunnel({ builder, address }, { builder: tcp(), address: service }, { onError })
      const entry = await openTunnel(
        { builder: tcp(), address: anyPort },
        { builder, address: exit.address },
        { onError },
      )
      opened.push(
        () => exit.close(),
        () => entry.close(),
      )
      return { entry, exit, errors }
    }

    it('carry bytes both ways, and the end', async () => {
      const service = await plainServer((socket) => socket.pipe(socket))
      const { entry, errors } = await openBoth(service)
      const client = await plainClient(entry.address)
      const bytes = Buffer.alloc(5 << 20, 'netts')
      client.end(bytes)
      expect((await buffer(client)).equals(bytes)).toBe(true)
      expect(errors).toEqual([])
    })

    it('half-close: the answer comes after the end of the question', async () => {
      const service = await plainServer(
        (socket) => {
          let question = ''
          socket.on('data', (data) => {
            question += String(data)
          })
          socket.on('end', () => setImmediate(() => socket.end(`${question}? 42`)))
        },
        { allowHalfOpen: true },
      )
      const { entry, errors } = await openBoth(service)
      const client = await plainClient(entry.address, { allowHalfOpen: true })
      client.end('why')
      expect(String(await buffer(client))).toBe('why? 42')
      expect(errors).toEqual([])
    })

    it('hold back who writes to somebody who does not read', async () => {
      const service = await plainServer((socket) => socket.pause())
      const { entry } = await openBoth(service)
      const client = await plainClient(entry.address)
      const piece = Buffer.alloc(1 << 20)
      let written = 0
      for (let stuck = 0; stuck < 5; ) {
        const before = client.bytesWritten - client.writableLength
        if (client.writableLength < 1 << 20) {
          client.write(piece)
          written += piece.length
        }
        await new Promise((resolve) => setTimeout(resolve, 10))
        stuck = client.bytesWritten - client.writableLength === before ? stuck + 1 : 0
        expect(written).toBeLessThan(256 << 20)
      }
    })

    it('pass a reset on', async () => {
      const sockets: net.Socket[] = []
      const service = await plainServer((socket) => sockets.push(socket))
      const { entry, errors } = await openBoth(service)
      const client = await plainClient(entry.address)
      const failed = closeOf(client)
      client.write('hello')
      while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve))
      await once(sockets[0]!, 'data')
      sockets[0]!.resetAndDestroy()
      expect(await failed).toBe(true)
      expect(errors.length).toBeGreaterThan(0)
    })

    it('reset who connects to a service that is not there', async () => {
      const { entry, errors } = await openBoth({ host: '127.0.0.1', port: 1 })
      const client = await plainClient(entry.address)
      expect(await closeOf(client)).toBe(true)
      while (errors.length === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(errors[0]).toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED' })
    })

    it('drain: who is connected goes on, and nobody else comes', async () => {
      const service = await plainServer((socket) => socket.pipe(socket))
      const { entry } = await openBoth(service)
      const client = await plainClient(entry.address)
      client.write('before')
      await once(client, 'data')
      let isDrained = false
      const drained = entry.drain().then(() => {
        isDrained = true
      })
      await expect(plainClient(entry.address)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      client.write('after')
      expect(String((await once(client, 'data'))[0])).toBe('after')
      expect(isDrained).toBe(false)
      client.end()
      client.resume()
      await drained
    })

    it('close at once: who is connected is reset', async () => {
      const service = await plainServer((socket) => socket.pipe(socket))
      const { entry } = await openBoth(service)
      const client = await plainClient(entry.address)
      client.write('before')
      await once(client, 'data')
      const closed = closeOf(client)
      await entry.close()
      expect(await closed).toBe(true)
    })

    it('close at once: also who has ended, and is being answered', async () => {
      const asked: net.Socket[] = []
      const answer = Buffer.alloc(64 << 10)
      const service = await plainServer(
        (socket) => {
          asked.push(socket)
          const endless = new Readable({ read: () => void endless.push(answer) })
          socket.resume().on('end', () => endless.pipe(socket))
        },
        { allowHalfOpen: true },
      )
      const { entry } = await openBoth(service)
      const client = await plainClient(entry.address, { allowHalfOpen: true })
      client.end('why')
      await once(client, 'data')
      const closed = [closeOf(client), closeOf(asked[0]!)]
      await entry.close()
      expect(await Promise.all(closed)).toEqual([true, true])
    })
  })
}

it('where somebody listens already, it cannot', async () => {
  const service = await plainServer(() => {})
  const side = { builder: tcp(), address: service }
  await expect(openTunnel(side, side)).rejects.toMatchObject({ code: 'ERR_NETTS_LISTEN_FAILED' })
})

it('whose listener breaks says so, lets connections finish, and is closed with the error', async () => {
  const service = await plainServer((socket) => socket.pipe(socket))
  const broken = new NettsError('ERR_NETTS_VERBS', 'the device is gone')
  let fail: (error: Error) => void = () => {}
  const failing = new Promise<never>((_, reject) => {
    fail = reject
  })
  const breakable: TransportBuilder = {
    ...tcp(),
    async listen(...parameters) {
      const listener = await tcp().listen(...parameters)
      const accept = listener.accept.bind(listener)
      listener.accept = (options) => Promise.race([accept(options), failing])
      return listener
    },
  }
  const told: unknown[] = []
  const tunnel = await openTunnel(
    { builder: breakable, address: anyPort },
    { builder: tcp(), address: service },
    { onError: (error, at) => told.push([at, error]) },
  )
  const client = await plainClient(tunnel.address)
  client.write('before')
  await once(client, 'data')
  fail(broken)
  while (told.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(told).toEqual([['listener', broken]])
  client.write('after')
  expect(String((await once(client, 'data'))[0])).toBe('after')
  client.end()
  client.resume()
  expect(await tunnel.closed).toBe(broken)
  await tunnel.close()
})
