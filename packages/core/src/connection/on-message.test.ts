/** Messages by callback: order, backpressure, what it throws, the end, and what it excludes. */
import { describe, expect, it } from 'vitest'
import {
  connectionAndPeer,
  connectionPair,
  expectBytes,
  expectNothingHeld,
  frame,
  pattern,
  settle,
} from '../test-support/connection-pair.js'
import type { Transport } from '../transport.js'
import type { MessageLease } from './connection.js'

const refused = (code: string) => expect.objectContaining({ code })

/** Sends as the transport takes it. */
function sendInChunksOf(byteLength: number, peer: Transport, bytes: Uint8Array): void {
  let at = 0
  const send = () => {
    while (at < bytes.length) {
      const taken = peer.sendCopy(bytes.subarray(at, at + byteLength))
      if (taken === 0) return
      at += taken
    }
  }
  peer.waker = send
  send()
}

describe('onMessage', () => {
  it('is called for each message in order, also for one that goes beyond a chunk, and never from within', async () => {
    const { connection, transport, peer } = connectionAndPeer({ maxSendSize: 1024, recvWindow: 64 * 1024 })
    const sizes = [0, 1, 900, 5000, 3, 1020]
    const bytes = Buffer.concat(sizes.map((size) => frame(pattern(size))))
    const taken: Buffer[] = []
    for (let at = 0; at < bytes.length; at += 1024) peer.sendCopy(bytes.subarray(at, at + 1024))
    await settle()
    connection.onMessage((lease) => {
      taken.push(Buffer.from(lease.bytes))
      lease.release()
    })
    expect(taken).toEqual([])
    for (let turn = 0; turn < 10; turn++) await settle()
    expect(taken.length).toBe(sizes.length)
    for (const [index, size] of sizes.entries()) expectBytes(taken[index], pattern(size))
    expectNothingHeld(transport)
  })

  it('its answer leaves in the same event, without waiting for the tick', async () => {
    const { one, two } = connectionPair()
    const order: string[] = []
    two.onMessage((lease) => {
      two.trySend(Buffer.from(lease.bytes))
      order.push(`chunks ${two.stats.chunksSent}`)
      two.trySend(Buffer.from('gathers'))
      order.push(`chunks ${two.stats.chunksSent}`)
      lease.release()
    })
    await one.send(Buffer.from('question'))
    expect((await one.recv())?.toString()).toBe('question')
    expect((await one.recv())?.toString()).toBe('gathers')
    expect(order).toEqual(['chunks 1', 'chunks 1'])
    expect(two.stats.chunksSent).toBe(2)
  })

  it('leases that are not released hold it back, and the peer; a release goes on', async () => {
    const { connection, transport, peer } = connectionAndPeer(
      { maxSendSize: 1024, recvWindow: 8 * 1024 },
      { highWaterMark: 4096 },
    )
    const held: MessageLease[] = []
    connection.onMessage((lease) => held.push(lease))
    const bytes = Buffer.concat(Array.from({ length: 40 }, (_, next) => frame(pattern(1000, next))))
    sendInChunksOf(1004, peer, bytes)
    for (let turn = 0; turn < 10; turn++) await settle()
    expect(held.length).toBe(4)
    // The rest of the forty waits at the peer.
    expect(connection.stats.bytesBuffered).toBeLessThan(4096 + 1024)
    expect(connection.stats.copiedLeases).toBe(0)
    for (let next = 0; next < 40; next++) {
      expectBytes(held[next]?.bytes, pattern(1000, next))
      held[next]?.release()
      for (let turn = 0; turn < 6; turn++) await settle()
      expect(held.length - next - 1).toBeLessThanOrEqual(4)
    }
    expect(held.length).toBe(40)
    expectNothingHeld(transport)
  })

  it('is called for a message that is larger than leases may hold, one at a time', async () => {
    const { connection, peer } = connectionAndPeer({ maxSendSize: 1024, recvWindow: 4 * 1024 })
    const held: MessageLease[] = []
    connection.onMessage((lease) => held.push(lease))
    sendInChunksOf(1024, peer, Buffer.concat([frame(pattern(6000, 1)), frame(pattern(6000, 2))]))
    for (let turn = 0; turn < 30; turn++) await settle()
    expect(held.length).toBe(1)
    held[0]?.release()
    for (let turn = 0; turn < 10; turn++) await settle()
    expect(held.length).toBe(2)
    expectBytes(held[1]?.bytes, pattern(6000, 2))
    held[1]?.release()
  })

  it('what it throws fails the connection, with that as the cause; it is not called again and holds nothing', async () => {
    const { connection, transport, peer } = connectionAndPeer()
    const cause = new Error('mine')
    let calls = 0
    connection.onMessage(() => {
      calls++
      throw cause
    })
    peer.sendCopy(Buffer.concat([frame('a'), frame('b')]))
    const error = await connection.closed
    expect(error).toMatchObject({ code: 'ERR_NETTS_INTERNAL', cause })
    await settle()
    expect(calls).toBe(1)
    expectNothingHeld(transport)
  })

  it('hands over what had arrived before a close, and finishes behind the peer', async () => {
    const { connection, peer } = connectionAndPeer()
    const taken: string[] = []
    connection.onMessage((lease) => {
      taken.push(Buffer.from(lease.bytes).toString())
      lease.release()
    })
    peer.sendCopy(Buffer.concat([frame('a'), frame('b')]))
    await connection.close()
    await settle()
    expect(taken).toEqual(['a', 'b'])

    const ended = connectionAndPeer()
    ended.connection.onMessage((lease) => lease.release())
    ended.peer.finish()
    await settle()
    await settle()
    expect(ended.connection.state).not.toBe('open')
    const open = connectionAndPeer({}, { allowHalfOpen: true })
    open.connection.onMessage((lease) => lease.release())
    open.peer.finish()
    await settle()
    await settle()
    expect(open.connection.state).toBe('open')
  })

  it('excludes other ways to receive, and they exclude it while they wait', async () => {
    const { connection, peer } = connectionAndPeer()
    const waiting = connection.recv()
    expect(() => connection.onMessage(() => {})).toThrow(refused('ERR_NETTS_INVALID_STATE'))
    peer.sendCopy(frame('a'))
    await waiting
    expect(() => connection.onMessage(undefined as never)).toThrow(refused('ERR_NETTS_INVALID_ARGUMENT'))
    connection.onMessage((lease) => lease.release())
    const invalid = refused('ERR_NETTS_INVALID_STATE')
    expect(() => connection.onMessage(() => {})).toThrow(invalid)
    await expect(connection.recv()).rejects.toEqual(invalid)
    await expect(connection.recvLease()).rejects.toEqual(invalid)
    expect(() => connection.tryRecvLease()).toThrow(invalid)
    await expect(connection[Symbol.asyncIterator]().next()).rejects.toEqual(invalid)
    await expect(connection.leases().next()).rejects.toEqual(invalid)
  })
})
