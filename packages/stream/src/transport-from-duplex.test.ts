/** What the suite of drivers does not ask of `transportFromDuplex`: what it is given, and what a Duplex of any make does. */
import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import { Duplex, duplexPair, PassThrough } from 'node:stream'
import { createConnection, NettsError, type Transport } from '@netts/core'
import { describe, expect, it } from 'vitest'
import { createStream, transportFromDuplex } from './index.js'

/** Resolves when `condition` holds, asked whenever the waker is called. */
function until(transport: Transport, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    transport.waker = () => {
      if (!condition()) return
      transport.waker = undefined
      resolve()
    }
    transport.waker()
  })
}

/** A Duplex that takes everything, and receives nothing by itself. */
function sink(): Duplex {
  return new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() })
}

async function sockets(): Promise<{ near: Socket; far: Socket; close(): void }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const near = dial(port, '127.0.0.1')
  const [[far]] = await Promise.all([once(server, 'connection') as Promise<[Socket]>, once(near, 'connect')])
  far.on('error', () => {})
  return {
    near,
    far,
    close() {
      near.destroy()
      far.destroy()
      server.close()
    },
  }
}

describe('what is refused', () => {
  const ended = sink()
  ended.end()
  const destroyed = sink()
  destroyed.destroy()
  const cases: Readonly<Record<string, [unknown, object, RegExp]>> = {
    'no Duplex': [{}, {}, /must be a Duplex/],
    'a Duplex of objects': [new PassThrough({ objectMode: true }), {}, /bytes, not objects/],
    'a Duplex of text': [new PassThrough().setEncoding('utf8'), {}, /setEncoding/],
    'a Duplex that this side has ended': [ended, {}, /ended already/],
    'a Duplex that is destroyed': [destroyed, {}, /destroyed/],
    'an unknown option': [sink(), { recvWindows: 1 }, /did you mean 'recvWindow'/],
    'a window out of range': [sink(), { recvWindow: 1 }, /recvWindow/],
    'an address that is none': [sink(), { remoteAddress: 'localhost:80' }, /address/],
    'half of the capabilities': [sink(), { capabilities: { reset: true } }, /detectsPeerCrash/],
    'a pool that is none': [sink(), { bufferPool: {} }, /bufferPool/],
  }
  for (const [name, [duplex, options, message]] of Object.entries(cases)) {
    it(name, () => {
      expect(() => transportFromDuplex(duplex as Duplex, options)).toThrow(
        expect.objectContaining({
          code: 'ERR_NETTS_INVALID_ARGUMENT',
          message: expect.stringMatching(message),
        }),
      )
    })
  }

  it('a socket that is still connecting', async () => {
    const { near, close } = await sockets()
    const connecting = dial((near.address() as { port: number }).port, '127.0.0.1')
    connecting.on('error', () => {})
    expect(() => transportFromDuplex(connecting)).toThrow(/'connect' event/)
    connecting.destroy()
    close()
  })
})

describe('addresses', () => {
  it('are those of a socket, also once it is closed', async () => {
    const { near, far, close } = await sockets()
    const [localPort, remotePort] = [near.localPort!, near.remotePort!]
    const transport = transportFromDuplex(near)
    far.destroy()
    await until(transport, () => transport.recvEnded || transport.pollDisconnect())
    transport.destroy()
    await new Promise((resolve) => near.once('close', resolve))
    expect(transport.localAddress).toEqual({ host: '127.0.0.1', port: localPort })
    expect(transport.remoteAddress).toEqual({ host: '127.0.0.1', port: remotePort })
    close()
  })

  it('are unnamed for any other Duplex, unless given', () => {
    const plain = transportFromDuplex(sink())
    expect([plain.localAddress, plain.remoteAddress]).toEqual([{ path: '' }, { path: '' }])
    plain.destroy()
    const named = transportFromDuplex(sink(), { remoteAddress: { host: 'db', port: 1 } })
    expect(named.remoteAddress).toEqual({ host: 'db', port: 1 })
    named.destroy()
  })
})

describe('what ends it', () => {
  const failures: Readonly<Record<string, [Error | undefined, string]>> = {
    'an error that means silence': [
      Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }),
      'ERR_NETTS_PEER_LOST',
    ],
    'any other error': [new Error('broken'), 'ERR_NETTS_RESET'],
    'a NettsError, which it is then': [
      new NettsError('ERR_NETTS_PROTOCOL', 'nonsense'),
      'ERR_NETTS_PROTOCOL',
    ],
    'a close without an error': [undefined, 'ERR_NETTS_RESET'],
  }
  for (const [name, [error, code]] of Object.entries(failures)) {
    it(name, async () => {
      const duplex = sink()
      const transport = transportFromDuplex(duplex)
      duplex.destroy(error)
      await until(transport, () => transport.pollDisconnect())
      expect(transport.error?.code).toBe(code)
      if (error) expect([transport.error, transport.error?.cause]).toContain(error)
    })
  }

  it('an end that came before it was made', async () => {
    const duplex = sink()
    duplex.push(null)
    duplex.resume()
    await once(duplex, 'end')
    const transport = transportFromDuplex(duplex)
    expect(transport.recvEnded).toBe(true)
    transport.finish()
    await until(transport, () => transport.pollDisconnect())
    expect(transport.error).toBeUndefined()
  })

  it('a write that fails', async () => {
    const broken = new Error('no more')
    const duplex = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done(broken) })
    const transport = transportFromDuplex(duplex)
    transport.sendCopy(Uint8Array.of(1))
    await until(transport, () => transport.pollDisconnect())
    expect(transport.error).toMatchObject({ code: 'ERR_NETTS_RESET', cause: broken })
    expect([transport.sendsInFlight, transport.queuedBytes]).toEqual([0, 0])
  })
})

describe('memory', () => {
  it('of a pooled buffer is used again although the Duplex still holds what it was given', async () => {
    // It calls back at once, and hands the very same memory on later.
    const held: Buffer[] = []
    const duplex = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        held.push(bytes)
        done()
      },
    })
    const transport = transportFromDuplex(duplex)
    for (let i = 0; i < 4; i++) {
      const buffer = transport.bufferPool.alloc(1000)
      buffer.bytes.fill(i)
      expect(transport.sendBuffer(buffer)).toBe(true)
      await until(transport, () => transport.pollSendCompletion() > 0)
    }
    expect(held.map((bytes) => bytes.every((byte) => byte === bytes[0]) && bytes[0])).toEqual([0, 1, 2, 3])
    transport.destroy()
  })

  it('of what was written comes back to its pool when the socket is destroyed under it', async () => {
    const { near, far, close } = await sockets()
    far.pause()
    const transport = transportFromDuplex(near)
    let accepted = 0
    await until(transport, () => {
      for (;;) {
        const buffer = transport.bufferPool.tryAlloc(60_000)
        if (!buffer) return true
        if (!transport.sendBuffer(buffer)) {
          buffer.release()
          return true
        }
        accepted++
      }
    })
    expect(accepted).toBeGreaterThan(0)
    transport.destroy()
    await new Promise((resolve) => near.once('close', resolve))
    expect(transport.bufferPool.stats.outstanding).toBe(0)
    close()
  })
})

it('a Duplex that answers from inside of a write calls no waker from inside of a method', async () => {
  const transport = transportFromDuplex(new PassThrough())
  let isInside = false
  let hasOffended = false
  const echoed = new Promise<void>((resolve) => {
    transport.waker = () => {
      hasOffended ||= isInside
      const out = [{ chunkIndex: 0, byteLength: 0 }]
      if (transport.pollRecv(out) > 0) resolve()
    }
  })
  isInside = true
  transport.sendCopy(Buffer.from('echo'))
  isInside = false
  await echoed
  expect(hasOffended).toBe(false)
  transport.destroy()
})

it('streams over transports over streams carry messages, however many', async () => {
  let [near, far]: [Duplex, Duplex] = duplexPair()
  for (let depth = 0; depth < 3; depth++) {
    const options = { allowHalfOpen: true }
    near = createStream(transportFromDuplex(near), options)
    far = createStream(transportFromDuplex(far), options)
  }
  const [client, server] = [near, far].map((duplex) => createConnection(transportFromDuplex(duplex)))
  const messages = Array.from({ length: 50 }, (_, i) => Buffer.alloc(i * 3000, i))
  const sending = (async () => {
    for (const message of messages) await client!.send(message)
    await client!.close()
  })()
  for (const message of messages) expect((await server!.recv())?.equals(message)).toBe(true)
  expect(await server!.recv()).toBeUndefined()
  await Promise.all([sending, server!.close()])
  expect([await client!.closed, await server!.closed]).toEqual([undefined, undefined])
})

it("memory that is transferred behind a destroy is the program's again, and no warning", async () => {
  const { near, close } = await sockets()
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  const connection = createConnection(transportFromDuplex(near))
  const data = new Uint8Array(2 ** 24)
  const sent = expect(connection.send(data)).rejects.toMatchObject({ code: 'ERR_NETTS_DESTROYED' })
  await new Promise((resolve) => setImmediate(resolve))
  connection.destroy()
  structuredClone(data.buffer, { transfer: [data.buffer] })
  await sent
  if (!near.closed) await once(near, 'close')
  // Warnings come in a tick of their own.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', onWarning)
  expect(warnings).toEqual([])
  close()
})
