/** The deadlines of a connection, in a time of the tests' own. */
import { describe, expect, it, vi } from 'vitest'
import {
  connectionAndPeer,
  connectionPair,
  expectBytes,
  frame,
  pattern,
  settle,
} from '../test-support/connection-pair.js'
import type { ManualClock } from '../test-support/manual-clock.js'

const time = vi.hoisted(() => ({ clock: undefined as unknown as ManualClock }))
vi.mock('../runtime/event-loop.js', async (importOriginal) => {
  const { ManualClock } = await import('../test-support/manual-clock.js')
  time.clock = new ManualClock()
  const original = await importOriginal<typeof import('../runtime/event-loop.js')>()
  return { ...original, clock: time.clock, backgroundClock: time.clock }
})
const { clock: manual } = time

describe('messageTimeoutMs', () => {
  it('ends a connection whose peer stops in the middle of a message', async () => {
    const { connection, peer, transport } = connectionAndPeer({}, { messageTimeoutMs: 1000 })
    const received = connection.recv()
    const rejected = expect(received).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    for (const byte of frame(pattern(10)).subarray(0, 6)) {
      peer.sendCopy(Uint8Array.of(byte))
      await settle()
      // Another byte: the whole time again.
      await manual.advance(999)
    }
    expect(transport.error).toBe(undefined)
    await manual.advance(251)
    await rejected
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    expect(manual.pending).toBe(0)
  })

  it('ends it also when nobody is receiving', async () => {
    const { connection, peer } = connectionAndPeer({}, { messageTimeoutMs: 1000 })
    peer.sendCopy(Uint8Array.of(0))
    await settle()
    await manual.advance(1000)
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    await expect(connection.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
  })

  it('does not blame a peer who waits for this side to take what fills the window', async () => {
    const { one, two } = connectionPair({ maxSendSize: 1024, recvWindow: 2048 }, { messageTimeoutMs: 1000 })
    const sends = [one.send(pattern(1000)), one.send(pattern(9000))]
    for (let waited = 0; waited < 5; waited++) {
      await settle()
      await manual.advance(1000)
    }
    expectBytes(await two.recv(), pattern(1000))
    expectBytes(await two.recv(), pattern(9000))
    await Promise.all(sends)
  })

  it('says nothing of a peer that is silent between messages', async () => {
    const { connection, peer } = connectionAndPeer({ chunk: () => 1 }, { messageTimeoutMs: 1000 })
    peer.sendCopy(frame('message'))
    await settle()
    await manual.advance(5000)
    expect((await connection.recv())?.toString()).toBe('message')
    peer.sendCopy(frame('message'))
    expect((await connection.recv())?.toString()).toBe('message')
  })

  it('does not count while this side does not read', async () => {
    const { connection, peer, transport } = connectionAndPeer(
      { chunk: (length) => Math.min(length, 100) },
      { messageTimeoutMs: 1000, highWaterMark: 10 },
    )
    // In this chunk a message begins that this side can't go on reading.
    peer.sendCopy(Buffer.concat([frame(pattern(90)), frame(pattern(10))]))
    await settle()
    await manual.advance(5000)
    expect(transport.error).toBe(undefined)
    expectBytes(await connection.recv(), pattern(90))
    expectBytes(await connection.recv(), pattern(10))
  })

  it('begins again when this side goes on reading', async () => {
    const { connection, peer, transport } = connectionAndPeer(
      { chunk: (length) => Math.min(length, 100) },
      { messageTimeoutMs: 1000, highWaterMark: 10 },
    )
    peer.sendCopy(Buffer.concat([frame(pattern(90)), frame(pattern(10)).subarray(0, 6)]))
    await settle()
    await manual.advance(999)
    expectBytes(await connection.recv(), pattern(90))
    const received = connection.recv()
    const rejected = expect(received).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    await settle()
    await manual.advance(999)
    expect(transport.error).toBe(undefined)
    await manual.advance(251)
    await rejected
  })

  it('does not begin again for a receive that finds nothing', async () => {
    const { connection, peer } = connectionAndPeer({}, { messageTimeoutMs: 1000 })
    peer.sendCopy(Uint8Array.of(0))
    await settle()
    for (let n = 0; n < 10; n++) {
      expect(connection.tryRecvLease()).toBe(undefined)
      await manual.advance(100)
    }
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
  })

  it('is off with 0', async () => {
    const { connection, peer } = connectionAndPeer({}, { messageTimeoutMs: 0 })
    peer.sendCopy(Uint8Array.of(0))
    await settle()
    expect(manual.pending).toBe(0)
    connection.destroy()
  })
})

describe('closeTimeoutMs', () => {
  it('gives up on a peer that takes nothing any more', async () => {
    const { one, transportTwo } = connectionPair({ maxSendSize: 1024, recvWindow: 1024 })
    transportTwo.pollRecv = () => 0
    one.trySend(pattern(1000))
    one.trySend(pattern(1000))
    one.trySend(pattern(1000))
    const closed = one.close()
    await settle()
    await manual.advance(4999)
    expect(transportTwo.error).toBe(undefined)
    // What the transport had accepted went a moment after the close began.
    await manual.advance(1251)
    expect(await closed).toBe(undefined)
    expect(await one.closed).toMatchObject({ code: 'ERR_NETTS_TIMEOUT', operation: 'close' })
    expect(manual.pending).toBe(0)
  })
})

describe('what ends a connection', () => {
  it('takes in first what had arrived and was left in the transport', async () => {
    const { connection, peer } = connectionAndPeer(
      {},
      { highWaterMark: 1, messageTimeoutMs: 1000, stallTimeoutMs: 500 },
    )
    for (let n = 0; n < 6; n++) peer.sendCopy(frame(pattern(100, n)))
    await settle()
    // The peer takes none of it.
    while (connection.trySend(pattern(100_000)));
    await settle()
    await manual.advance(1000)
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    for (let n = 0; n < 6; n++) expectBytes(await connection.recv(), pattern(100, n))
    await expect(connection.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
  })
})
