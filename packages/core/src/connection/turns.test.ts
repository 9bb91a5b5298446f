/** A connection that is saturated leaves the event loop its turns, and idle ones hold no memory. */
import { describe, expect, it } from 'vitest'
import { createBufferPool } from '../buffer-pool/create-buffer-pool.js'
import { connectionAndPeer, frame, settle } from '../test-support/connection-pair.js'

const COUNT = 300_000

function saturated() {
  const { connection, peer } = connectionAndPeer({ recvWindow: 1 << 30, maxSendSize: 1 << 20 })
  const chunk = Buffer.concat(Array.from({ length: 1000 }, () => frame('0123456789')))
  for (let n = 0; n < COUNT / 1000; n++) peer.sendCopy(chunk)
  return connection
}

describe('a receiver with more than it can take in a turn', () => {
  it.each(['for await', 'recv', 'leases'] as const)('lets other things happen: %s', async (way) => {
    const connection = saturated()
    await settle()
    let turns = 0
    let counting = true
    const count = () => {
      turns++
      if (counting) setImmediate(count)
    }
    setImmediate(count)
    let received = 0
    const source = way === 'leases' ? connection.leases() : connection
    if (way === 'recv') {
      while (received < COUNT && (await connection.recv()) !== undefined) received++
    } else {
      for await (const message of source) {
        if ('release' in message) message.release()
        if (++received === COUNT) break
      }
    }
    counting = false
    expect(received).toBe(COUNT)
    // Without it, every message that is there is taken within one turn.
    expect(turns).toBeGreaterThan(3)
    connection.destroy()
  })
})

describe('connections that nobody receives from, beside a saturated one', () => {
  it('take in what still came, and so learn that their peer has finished', async () => {
    const busy = saturated()
    const idle = [connectionAndPeer(), connectionAndPeer()]
    const drained = (async () => {
      for (let n = 0; n < COUNT; n++) await busy.recv()
    })()
    let rounds = 0
    const feed = () => {
      for (const { peer } of idle) peer.sendCopy(frame('late'))
      if (++rounds < 20) setImmediate(feed)
      else for (const { peer } of idle) peer.finish()
    }
    setImmediate(feed)
    await Promise.all(idle.map(({ connection }) => connection.peerEnded))
    expect(idle.map(({ connection }) => connection.stats.bytesBuffered)).toEqual([80, 80])
    await drained
    for (const { connection } of [{ connection: busy }, ...idle]) connection.destroy()
  })
})

describe('a thousand connections with one small message each', () => {
  it('hold little memory while it is on its way, and none afterwards', async () => {
    const bufferPool = createBufferPool({ detectLeaks: true })
    const pairs = Array.from({ length: 1000 }, () => connectionAndPeer({ bufferPool, holdCompletions: true }))
    for (const { connection } of pairs) await connection.send(Buffer.alloc(64))
    await settle()
    expect(bufferPool.stats.outstanding).toBe(1000)
    expect(bufferPool.stats.slabBytes).toBeLessThan(2 << 20)
    for (const { transport } of pairs) transport.completeOldest()
    expect(bufferPool.stats.outstanding).toBe(0)
    for (const { connection } of pairs) connection.destroy()
  })

  it('leave each of them a buffer, whatever others hold', async () => {
    const { sharePool } = await import('../buffer-pool/pool-share.js')
    const pool = createBufferPool({ classes: [{ byteLength: 1024, count: 8 }] })
    const [greedy, healthy] = [sharePool(pool, 1024), sharePool(pool, 1024)]
    const held = Array.from({ length: 12 }, () => greedy.alloc(1000))
    expect(greedy.tryAlloc(1)).toBe(undefined)
    expect(pool.tryAlloc(1)).toBe(undefined)
    const own = Array.from({ length: 4 }, () => healthy.alloc(1000))
    expect(healthy.tryAlloc(1)).toBe(undefined)
    for (const buffer of [...held, ...own]) buffer.release()
    expect(pool.stats.outstanding).toBe(0)
    expect(Array.from({ length: 8 }, () => pool.alloc(1)).length).toBe(8)
    expect(pool.tryAlloc(1)).toBe(undefined)
    expect(healthy.tryAlloc(1)).not.toBe(undefined)
  })
})
