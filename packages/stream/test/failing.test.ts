/** What goes wrong below a stream: peers that crash or take nothing, and drivers that throw. */
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import type { TransportBuilder } from '@netts/core'
import { createMockNetwork, type MockNetwork, type MockNetworkOptions } from '@netts/mock'
import { describe, expect, it } from 'vitest'
import { connectStream, createStreamServer, type StreamOptions, type TransportStream } from '../src/index.js'
import { pattern, someTurns } from './contract/pair.js'
import { METHODS, throwingBuilder, unwakeableBuilder } from './throwing-transport.js'
import { ringDriver, sendRecvDriver, simulatedWire } from './wires.js'

interface Setting extends MockNetworkOptions {
  readonly client?: StreamOptions
  readonly server?: StreamOptions
  readonly wrap?: (builder: TransportBuilder) => TransportBuilder
}

interface Pair {
  readonly network: MockNetwork
  readonly client: TransportStream
  readonly server: TransportStream
}

async function open({
  client,
  server,
  wrap = (builder) => builder,
  ...options
}: Setting = {}): Promise<Pair> {
  const network = createMockNetwork(options)
  const listener = createStreamServer(network.builder(), server)
  listener.listen({ host: 'service', port: 1 })
  await once(listener, 'listening')
  const accepted = once(listener, 'connection')
  const near = connectStream(wrap(network.builder()), listener.listeningAddress!, client)
  await once(near, 'connect')
  const [far] = (await accepted) as [TransportStream]
  listener.close()
  // Tests look at the client, where they do not say otherwise.
  far.on('error', () => {})
  return { network, client: near, server: far }
}

/** The error that a stream ends with; `undefined` when it closes without one. */
function failure(stream: TransportStream): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let error: Error | undefined
    stream.once('error', (told) => {
      error = told
    })
    stream.once('close', (hadError: boolean) => {
      expect(hadError).toBe(error !== undefined)
      resolve(error)
    })
  })
}

describe('a peer that crashes', () => {
  it('is an error, although nobody reads', async () => {
    const { network, client } = await open()
    const failed = failure(client)
    network.links[0]!.server.crash()
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
  })

  it('is an error after everything that came before, for who flows', async () => {
    const bytes = pattern(100_000)
    const { client, server } = await open({ faults: { server: { crashAfterBytes: bytes.length } } })
    const failed = failure(client)
    const chunks: Buffer[] = []
    client.on('data', (chunk: Buffer) => chunks.push(chunk))
    server.write(bytes)
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  })

  it('is an error after everything that came before, however late it is read', async () => {
    const { network, client, server } = await open()
    const bytes = pattern(100_000)
    await new Promise((resolve) => server.write(bytes, resolve))
    await someTurns()
    network.links[0]!.server.crash()
    await someTurns()
    expect(client.destroyed).toBe(false)
    const chunks: Buffer[] = []
    const read = async () => {
      for await (const chunk of client) chunks.push(chunk as Buffer)
    }
    await expect(read()).rejects.toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  })

  it('is an error for who waits for more bytes than came', async () => {
    const { network, client, server } = await open()
    const failed = failure(client)
    const read: unknown[] = []
    client.on('readable', () => {
      for (let chunk = client.read(10) as unknown; chunk; chunk = client.read(10)) read.push(chunk)
    })
    server.write('123456789012345')
    while (read.length === 0) await someTurns()
    network.links[0]!.server.crash()
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(read.map(String)).toEqual(['1234567890'])
  })

  it('fails a write, also while bytes wait to be read', async () => {
    const { network, client, server } = await open()
    server.write('unread')
    await someTurns()
    const failed = failure(client)
    network.links[0]!.client.stall()
    const written = new Promise((resolve) => client.write(pattern(4 << 20), resolve))
    await someTurns()
    network.links[0]!.server.crash()
    expect(await written).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
  })

  it('offers what had arrived before it fails a write', async () => {
    const { network, client, server } = await open()
    const failed = failure(client)
    let hasCrashed = false
    const rest: unknown[] = []
    client.on('readable', () => {
      if (hasCrashed) rest.push(String(client.read()))
    })
    server.write('unread')
    await someTurns()
    network.links[0]!.client.stall()
    client.write(pattern(4 << 20))
    await someTurns()
    hasCrashed = true
    network.links[0]!.server.crash()
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(rest).toEqual(['unread'])
  })

  it('fails a write that is made later', async () => {
    const { network, client, server } = await open()
    server.write('unread')
    await someTurns()
    network.links[0]!.server.crash()
    await someTurns()
    const failed = failure(client)
    const written = new Promise((resolve) => client.write('x', resolve))
    expect(await written).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
  })

  it('fails an end that is on its way', async () => {
    const { network, client } = await open()
    const failed = failure(client)
    network.links[0]!.client.stall()
    client.end(pattern(1000))
    await someTurns()
    network.links[0]!.server.crash()
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(client.writableFinished).toBe(false)
  })

  it('fails an end that is made later, also while bytes wait to be read', async () => {
    const { network, client, server } = await open()
    server.write('unread')
    await someTurns()
    network.links[0]!.server.crash()
    await someTurns()
    const failed = failure(client)
    client.end()
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(client.writableFinished).toBe(false)
  })

  it('fails an end that is on its way, also while bytes wait to be read', async () => {
    const { network, client, server } = await open()
    server.write('unread')
    await someTurns()
    const failed = failure(client)
    network.links[0]!.client.stall()
    client.end(pattern(1000))
    await someTurns()
    network.links[0]!.server.crash()
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(client.readableLength).toBe(6)
    expect(client.writableFinished).toBe(false)
  })
})

describe('a peer that takes nothing', () => {
  it('is given up after stallTimeoutMs', async () => {
    const { network, client } = await open({ client: { stallTimeoutMs: 40 } })
    const failed = failure(client)
    network.links[0]!.client.stall()
    client.write(pattern(4 << 20))
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
  })

  it.each([sendRecvDriver, ringDriver])(
    'is given up, also where nothing waits at the adapter: over $name',
    async (driver) => {
      const { client: builder, server, address } = simulatedWire(driver).open()
      const listener = createStreamServer(server)
      listener.listen(address)
      await once(listener, 'listening')
      const accepted = once(listener, 'connection')
      const client = connectStream(builder, listener.listeningAddress!, { stallTimeoutMs: 100 })
      const failed = failure(client)
      const [far] = (await accepted) as [TransportStream]
      far.on('error', () => {})
      client.write(pattern(4 << 20))
      expect(await failed).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
      listener.close()
    },
  )

  it('does not hold up a destroy', async () => {
    const { network, client } = await open({ client: { closeTimeoutMs: 40 } })
    network.links[0]!.client.stall()
    client.write('x')
    const failed = failure(client)
    client.destroy()
    expect(await failed).toBe(undefined)
    await someTurns()
    // What it had accepted it kept trying to deliver, within the deadline.
    while (client.transport!.state !== 'closed') await someTurns()
    expect(client.transport!.error).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
  })

  it('does not hold up a destroy, also where the peer has ended', async () => {
    const { network, client, server } = await open({ client: { closeTimeoutMs: 40, allowHalfOpen: true } })
    client.resume()
    server.end()
    await once(client, 'end')
    network.links[0]!.client.stall()
    await new Promise((resolve) => client.write('x', resolve))
    const failed = failure(client)
    client.destroy()
    expect(await failed).toBe(undefined)
    while (client.transport!.state !== 'closed') await someTurns()
  })

  it('holds bounded memory here and there', async () => {
    const { client, server } = await open()
    let byteLength = 0
    for (let stuck = 0; stuck < 5; ) {
      if (client.writableNeedDrain) stuck++
      else stuck = 0
      while (!client.writableNeedDrain && byteLength < 64 << 20) {
        client.write(pattern(64 << 10))
        byteLength += 64 << 10
      }
      await someTurns()
    }
    expect(server.readableLength).toBeLessThanOrEqual(2 * server.readableHighWaterMark)
    // What the server keeps, the mock's window and its sends under way, and what the client keeps.
    expect(byteLength).toBeLessThan(1 << 20)
    client.destroy()
    server.destroy()
  })
})

describe('bytes that are dropped', () => {
  it('are never taken for all there was', async () => {
    const { client, server } = await open()
    const failed = failure(server)
    client.write(pattern(4 << 20))
    await someTurns()
    client.destroy()
    server.resume()
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_RESET' })
    expect(server.readableEnded).toBe(false)
  })
})

describe('a driver that throws', () => {
  it.each(METHODS)('from %s ends the stream, and nothing else', async (method) => {
    let isArmed = false
    const { client, server } = await open({
      wrap: (builder) => throwingBuilder(builder, method, () => isArmed),
    })
    const failed = failure(client)
    const serverFailed = failure(server)
    server.pipe(server)
    client.resume()
    client.setTimeout(60_000)
    await new Promise((resolve) => client.write('before', resolve))
    await someTurns()
    isArmed = true
    client.write('one')
    client.cork()
    client.write('two')
    client.write('three')
    client.uncork()
    await someTurns()
    client.end('last')
    await someTurns()
    client.destroy()
    const error = await failed
    // What only ends it can't fail it any more.
    if (error)
      expect(error).toMatchObject({ code: 'ERR_NETTS_INTERNAL', message: expect.stringContaining(method) })
    else expect(['disconnect', 'destroy']).toContain(method)
    server.destroy()
    await serverFailed
  })

  it('from the assignment of its waker ends a stream, and neither its server nor the process', async () => {
    const network = createMockNetwork()
    let isArmed = true
    const builder = unwakeableBuilder(network.builder(), () => isArmed)
    const server = createStreamServer(builder)
    server.listen({ host: 'service', port: 1 })
    await once(server, 'listening')
    const accepted = new Promise((resolve) => {
      server.once('connection', (stream) => void failure(stream).then(resolve))
    })
    const near = connectStream(builder, server.listeningAddress!)
    const refusal = { code: 'ERR_NETTS_INTERNAL', message: expect.stringContaining('from waker') }
    expect(await failure(near)).toMatchObject(refusal)
    expect(await accepted).toMatchObject(refusal)
    isArmed = false
    const next = connectStream(builder, server.listeningAddress!)
    await once(next, 'connect')
    next.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  it('from connect, at once or later, is the stream’s error', async () => {
    const address = { host: 'service', port: 1 }
    const later = new Error('later')
    const listen = () => Promise.reject(later)
    const rejecting = { name: 'rejecting', connect: () => Promise.reject(later), listen }
    expect(await failure(connectStream(rejecting, address))).toMatchObject({
      code: 'ERR_NETTS_INTERNAL',
      cause: later,
    })
    const throwing = {
      name: 'throwing',
      connect: () => {
        throw later
      },
      listen,
    }
    expect(await failure(connectStream(throwing, address))).toMatchObject({
      code: 'ERR_NETTS_INTERNAL',
      cause: later,
    })
  })

  it('from listen is the server’s error', async () => {
    const throwing = {
      name: 'throwing',
      connect: () => Promise.reject(new Error('no')),
      listen: () => {
        throw new Error('cannot listen')
      },
    }
    const server = createStreamServer(throwing)
    const failed = once(server, 'error')
    server.listen({ host: 'service', port: 1 })
    expect((await failed)[0]).toMatchObject({ message: expect.stringContaining('cannot listen') })
    expect(server.listening).toBe(false)
  })
})

describe('connecting', () => {
  it('is cancelled by destroy, and leaves nothing behind', async () => {
    const network = createMockNetwork({ faults: { connect: 'never' } })
    const listener = await network.builder().listen({ host: 'service', port: 1 })
    const stream = connectStream(network.builder(), listener.address)
    stream.end('never sent')
    const failed = failure(stream)
    await someTurns()
    expect(stream.connecting).toBe(true)
    stream.destroy()
    expect(await failed).toBe(undefined)
    await listener.close()
  })

  it('is cancelled by a signal', async () => {
    const network = createMockNetwork({ faults: { connect: 'never' } })
    const listener = await network.builder().listen({ host: 'service', port: 1 })
    const controller = new AbortController()
    const stream = connectStream(network.builder(), listener.address, { signal: controller.signal })
    const failed = failure(stream)
    controller.abort(new Error('enough'))
    expect(await failed).toMatchObject({ code: 'ERR_NETTS_ABORTED', name: 'AbortError' })
    await listener.close()
  })

  it('has a deadline', async () => {
    const network = createMockNetwork({ faults: { connect: 'never' } })
    const listener = await network.builder().listen({ host: 'service', port: 1 })
    const stream = connectStream(network.builder(), listener.address, { timeoutMs: 30 })
    expect(await failure(stream)).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    await listener.close()
  })

  it('refuses what can’t be meant, at once', () => {
    const builder = createMockNetwork().builder()
    const address = { host: 'service', port: 1 }
    const refusal = expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' })
    expect(() => connectStream((() => builder) as never, address)).toThrow(refusal)
    expect(() => connectStream(builder, { host: 'service', port: 0 })).toThrow(refusal)
    expect(() => connectStream(builder, address, { highWaterMark: 1 } as never)).toThrow(refusal)
    expect(() => connectStream(builder, address, { timeoutMs: -1 })).toThrow(refusal)
    expect(() => connectStream(builder, address, { signal: {} as AbortSignal })).toThrow(refusal)
    expect(() => createStreamServer(builder, { backlogg: 1 } as never)).toThrow(refusal)
  })
})

it('what is written in the event connect comes behind what was written before', async () => {
  const network = createMockNetwork()
  const server = createStreamServer(network.builder())
  server.listen({ host: 'service', port: 1 })
  await once(server, 'listening')
  const received = once(server, 'connection').then(([stream]) => buffer(stream as TransportStream))
  const client = connectStream(network.builder(), server.listeningAddress!)
  client.write('a')
  client.write('b')
  client.on('connect', () => client.write('c'))
  client.on('ready', () => client.end('d'))
  expect(String(await received)).toBe('abcd')
  server.close()
})
