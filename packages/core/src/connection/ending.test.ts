/** How connections end: half-close, close, destroy, and what the peer does. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import { DIAGNOSTICS_CHANNELS } from '../diagnostics.js'
import { NettsError } from '../errors.js'
import {
  connectionAndPeer,
  connectionPair,
  drain,
  expectBytes,
  expectNothingHeld,
  frame,
  pattern,
  settle,
} from '../test-support/connection-pair.js'
import { type LoopbackOptions, loopbackPair } from '../test-support/loopback.js'
import type { Connection } from './connection.js'
import { createConnection } from './create-connection.js'

const refused = (code: string) => expect.objectContaining({ code })

describe('finish', () => {
  it('ends one direction, after everything sent, and leaves the other', async () => {
    const { one, two, transportOne, transportTwo } = connectionPair({ maxSendSize: 1024, recvWindow: 2048 })
    const sends = [0, 1, 2, 3].map((n) => one.send(pattern(3000, n)))
    one.finish()
    one.finish()
    for (let n = 0; n < 4; n++) expectBytes(await two.recv(), pattern(3000, n))
    expect(await two.recv()).toBe(undefined)
    await Promise.all(sends)
    for (let n = 0; n < 3; n++) {
      await two.send(pattern(10, n))
      expectBytes(await one.recv(), pattern(10, n))
    }
    two.finish()
    expect(await one.recv()).toBe(undefined)
    expect(await Promise.all([one.closed, two.closed])).toEqual([undefined, undefined])
    expectNothingHeld(transportOne, transportTwo)
  })

  it('refuses sends from then on', async () => {
    const { one, two } = connectionPair()
    one.finish()
    await expect(one.send(pattern(1))).rejects.toMatchObject({
      code: 'ERR_NETTS_CLOSED',
      message: 'this side of the connection has finished',
    })
    expect(() => one.trySend(pattern(1))).toThrow(refused('ERR_NETTS_CLOSED'))
    await one.flush()
    two.destroy()
  })
})

describe('close', () => {
  it('delivers what was accepted, then the end', async () => {
    const { one, two, transportOne, transportTwo } = connectionPair()
    for (let n = 0; n < 100; n++) await one.send(pattern(1000, n))
    const closed = one.close()
    expect(one.close()).toBeInstanceOf(Promise)
    let count = 0
    for await (const message of two) expectBytes(message, pattern(1000, count++))
    expect(count).toBe(100)
    expect(await closed).toBe(undefined)
    expect(await Promise.all([one.closed, two.closed])).toEqual([undefined, undefined])
    expectNothingHeld(transportOne, transportTwo)
  })

  it('is what `await using` does', async () => {
    const { one, two } = connectionPair()
    const disposed = one[Symbol.asyncDispose]()
    await two.close()
    await disposed
    expect(await one.closed).toBe(undefined)
  })

  it('rejects sends that wait, and completes the one that has begun', async () => {
    const { connection, transport, peer } = connectionAndPeer({ maxSendSize: 1024, recvWindow: 2048 })
    const settled = Promise.allSettled([
      connection.send(pattern(5000)),
      connection.send(pattern(5001)),
      connection.send(connection.alloc(100)),
    ])
    await settle()
    const closed = connection.close()
    const received: Buffer[] = []
    while (!peer.recvEnded) {
      received.push(drain(peer))
      await settle()
    }
    expectBytes(Buffer.concat(received), frame(pattern(5000)))
    peer.finish()
    await closed
    expect(await settled).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'ERR_NETTS_CLOSED' } },
      { status: 'rejected', reason: { code: 'ERR_NETTS_CLOSED' } },
    ])
    expectNothingHeld(transport)
  })

  it('lets receives have what arrived before, and then the end', async () => {
    const { connection, transport, peer } = connectionAndPeer()
    peer.sendCopy(Buffer.concat([frame('one'), frame('two'), frame('three').subarray(0, 5)]))
    await settle()
    const closed = connection.close()
    expect(transport.chunks.size).toBe(0)
    expect((await connection.recv())?.toString()).toBe('one')
    peer.finish()
    await closed
    expect((await connection.recv())?.toString()).toBe('two')
    expect(await connection.recv()).toBe(undefined)
    expect(await connection.closed).toBe(undefined)
    expectNothingHeld(transport)
  })

  it('ends receives that wait', async () => {
    const { one, two } = connectionPair()
    const received = [one.recv(), one.recvLease()]
    const closed = one.close()
    expect(await Promise.all(received)).toEqual([undefined, undefined])
    two.finish()
    await closed
  })

  it('discards what the peer still sends, so that both can end', async () => {
    const { one, two } = connectionPair({ maxSendSize: 1024, recvWindow: 2048 })
    // Each is blocked by the other one, who does not receive.
    const sends = Promise.allSettled([one.send(pattern(10_000)), two.send(pattern(10_000))])
    await settle()
    const closed = one.close()
    expectBytes(await two.recv(), pattern(10_000))
    await two.close()
    await closed
    expect(await sends).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }])
    expect(await Promise.all([one.closed, two.closed])).toEqual([undefined, undefined])
  })

  it('never rejects, also when the connection has failed', async () => {
    const { connection, peer } = connectionAndPeer()
    peer.destroy()
    await connection.close()
    await connection.close()
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_RESET' })
    await expect(connection.send(pattern(1))).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
  })
})

describe('destroy', () => {
  it('makes any other error the cause of its own', async () => {
    for (const cause of [new Error('out of patience'), 'out of patience', null]) {
      const { connection, transport } = connectionAndPeer()
      connection.destroy(cause as never)
      expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_DESTROYED', cause })
      expect(transport.error).toBe(await connection.closed)
    }
  })

  it('rejects what is pending, and drops the rest', async () => {
    const { connection, transport, peer } = connectionAndPeer({ maxSendSize: 1024, recvWindow: 2048 })
    await connection.send(pattern(1000))
    const pending = Promise.allSettled([
      connection.send(pattern(5000)),
      connection.send(pattern(10)),
      connection.recv(),
      connection.recvLease(),
    ])
    const error = new NettsError('ERR_NETTS_PROTOCOL', 'I do not like your face')
    connection.destroy(error)
    connection.destroy()
    for (const result of await pending) expect(result).toEqual({ status: 'rejected', reason: error })
    expect(await connection.closed).toBe(error)
    expect(peer.error).toMatchObject({ code: 'ERR_NETTS_RESET' })
    await expect(connection.recv()).rejects.toBe(error)
    await expect(connection.flush()).rejects.toBe(error)
    expect(connection.tryRecvLease()).toBe(undefined)
    expectNothingHeld(transport)
  })

  it('rejects a flush that waits', async () => {
    const { connection } = connectionAndPeer({ holdCompletions: true })
    await connection.send(pattern(10))
    const flushed = connection.flush()
    connection.destroy()
    await expect(flushed).rejects.toMatchObject({ code: 'ERR_NETTS_DESTROYED' })
  })

  it('throws away what was received, and gives the memory back', async () => {
    const { connection, transport, peer } = connectionAndPeer({ chunk: (length) => Math.min(length, 10) })
    peer.sendCopy(Buffer.concat([frame('one'), frame(pattern(500))]))
    const lease = (await connection.recvLease())!
    connection.destroy()
    await expect(connection.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_DESTROYED' })
    expect(transport.chunks.size).toBe(1)
    expect(Buffer.from(lease.bytes).toString()).toBe('one')
    lease.release()
    expectNothingHeld(transport)
  })

  it('throws away what the transport still has, too', async () => {
    const { connection, transport, peer } = connectionAndPeer({}, { highWaterMark: 0 })
    for (let n = 0; n < 50; n++) peer.sendCopy(frame(pattern(100, n)))
    await settle()
    connection.destroy()
    await expect(connection.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_DESTROYED' })
    expectNothingHeld(transport)
  })

  it('throws away what a failed connection had received', async () => {
    const { connection, peer } = connectionAndPeer()
    peer.sendCopy(frame('unread'))
    peer.destroy()
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_RESET' })
    connection.destroy()
    await expect(connection.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
  })

  it('can be called from within anything that the connection resolves', async () => {
    const { connection, peer } = connectionAndPeer()
    const all = [connection.recv(), connection.recv(), connection.recv()]
    peer.sendCopy(Buffer.concat([frame('a'), frame('b')]))
    const first = all[0]!.then(() => connection.destroy())
    await first
    expect(await Promise.allSettled(all)).toMatchObject([
      { status: 'fulfilled' },
      { status: 'fulfilled' },
      { status: 'rejected' },
    ])
  })
})

describe('a peer that goes', () => {
  it('by a reset: what arrived before is delivered before the error', async () => {
    const { connection, transport, peer } = connectionAndPeer({}, { highWaterMark: 0 })
    for (let n = 0; n < 50; n++) peer.sendCopy(frame(pattern(100, n)))
    peer.sendCopy(frame(pattern(100)).subarray(0, 50))
    peer.destroy()
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_RESET' })
    expectNothingHeld(transport)
    for (let n = 0; n < 50; n++) expectBytes(await connection.recv(), pattern(100, n))
    await expect(connection.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
  })

  it('by a reset: every send settles', async () => {
    const { connection, transport, peer } = connectionAndPeer({ maxSendSize: 1024, recvWindow: 2048 })
    const sends = Array.from({ length: 10 }, (_, n) => connection.send(pattern(1500, n)))
    await settle()
    peer.destroy()
    const results = await Promise.allSettled(sends)
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    expect(results.at(-1)).toMatchObject({ reason: { code: 'ERR_NETTS_RESET' } })
    expectNothingHeld(transport)
  })

  /** A connection that still holds messages back, and a transport that failed without telling it. */
  async function unannouncedFailure(
    options: LoopbackOptions = {},
    before: (connection: Connection) => Promise<void> = async () => {},
  ) {
    const [transport, peer] = loopbackPair(options)
    const connection = createConnection(transport, { highWaterMark: 0 })
    await before(connection)
    peer.sendCopy(frame('one'))
    peer.sendCopy(frame('two'))
    await settle()
    // As if it had been announced before something was asked.
    transport.waker = undefined
    Object.defineProperty(transport, 'waker', { value: undefined, writable: true })
    peer.destroy()
    await settle()
    return { connection }
  }

  it('is noticed by a send that is refused, when nothing else is asked of the transport', async () => {
    const { connection } = await unannouncedFailure()
    await expect(connection.send(connection.alloc(5000))).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_RESET' })
  })

  it('is noticed by a receive, when nothing else is asked of the transport', async () => {
    const { connection } = await unannouncedFailure()
    expect((await connection.recv())?.toString()).toBe('one')
    expect((await connection.recv())?.toString()).toBe('two')
    await expect(connection.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
  })

  it('is noticed by a flush, when nothing else is asked of the transport', async () => {
    const { connection } = await unannouncedFailure({ holdCompletions: true }, (connection) =>
      connection.send(pattern(10)),
    )
    await expect(connection.flush()).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
  })

  it('is noticed by close, when nothing else is asked of the transport', async () => {
    const { connection } = await unannouncedFailure()
    await connection.close()
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_RESET' })
  })

  it('after a lie that only close finds', async () => {
    const { connection, peer } = connectionAndPeer({}, { highWaterMark: 0, maxMessageSize: 100 })
    peer.sendCopy(frame('one'))
    peer.sendCopy(Buffer.from([255, 255, 255, 255]))
    await settle()
    await connection.close()
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_PROTOCOL' })
    expect(peer.error).toMatchObject({ code: 'ERR_NETTS_RESET' })
    expect((await connection.recv())?.toString()).toBe('one')
  })

  it('cleanly, while this side still sends: no error', async () => {
    const { connection, peer } = connectionAndPeer()
    peer.finish()
    expect(await connection.recv()).toBe(undefined)
    await connection.send(pattern(10))
    await connection.close()
    expect(await connection.closed).toBe(undefined)
    await expect(connection.send(pattern(1))).rejects.toMatchObject({ code: 'ERR_NETTS_CLOSED' })
    await connection.flush()
  })
})

describe('a transport that had something to say before it became a connection', () => {
  it('loses none of it', async () => {
    const [transport, peer] = loopbackPair()
    peer.sendCopy(frame('early'))
    peer.finish()
    await settle()
    const connection = createConnection(transport)
    expect((await connection.recv())?.toString()).toBe('early')
    expect(await connection.recv()).toBe(undefined)
  })

  it('may have failed already', async () => {
    const [transport, peer] = loopbackPair()
    peer.destroy()
    await settle()
    const connection = createConnection(transport)
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_RESET' })
  })
})

describe('options', () => {
  it.each([
    { maxMessageSize: -1 },
    { maxMessageSize: 2 ** 32 },
    { maxMessageSize: 1.5 },
    { highWaterMark: -1 },
    { highWaterMark: Number.NaN },
    { messageTimeoutMs: -1 },
    { messageTimeoutMs: 2 ** 31 },
  ])('%j are refused, and the transport stays the caller’s', (options) => {
    const [transport] = loopbackPair()
    expect(() => createConnection(transport, options)).toThrow(refused('ERR_NETTS_INVALID_ARGUMENT'))
    expect(transport.waker).toBe(undefined)
  })

  it('are refused when they are none, as is a transport that is none', () => {
    const [transport] = loopbackPair()
    for (const [given, options] of [
      [transport, null],
      [undefined, {}],
      [Promise.resolve(transport), {}],
    ]) {
      expect(() => createConnection(given as never, options as never)).toThrow(
        refused('ERR_NETTS_INVALID_ARGUMENT'),
      )
    }
  })

  it('have the documented defaults', () => {
    const { connection, transport } = connectionAndPeer()
    expect(connection.maxMessageSize).toBe(16 * 1024 * 1024)
    expect(connection.transport).toBe(transport)
    expect(connection.localAddress).toEqual({ path: 'one' })
    expect(connection.remoteAddress).toEqual({ path: 'two' })
  })
})

describe('diagnostics', () => {
  it('tells of the end, once, and of an error', async () => {
    const seen: [string, unknown][] = []
    const onClose = (message: unknown) => seen.push(['close', message])
    const onError = (message: unknown) => seen.push(['error', message])
    subscribe(DIAGNOSTICS_CHANNELS.close, onClose)
    subscribe(DIAGNOSTICS_CHANNELS.error, onError)
    const clean = connectionPair()
    await Promise.all([clean.one.close(), clean.two.close()])
    const failed = connectionAndPeer()
    failed.peer.destroy()
    const error = await failed.connection.closed
    await failed.connection.close()
    unsubscribe(DIAGNOSTICS_CHANNELS.close, onClose)
    unsubscribe(DIAGNOSTICS_CHANNELS.error, onError)
    expect(seen.length).toBe(4)
    expect(seen.slice(0, 2).map(([event]) => event)).toEqual(['close', 'close'])
    expect(seen.slice(2)).toEqual([
      ['error', { connection: failed.connection, error }],
      ['close', { connection: failed.connection, error }],
    ])
  })
})
