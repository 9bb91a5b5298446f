/** Sending from pooled buffers: without a copy, and with a defined owner at each time. */
import assert from 'node:assert/strict'
import { type BufferPool, NettsError, type PooledBuffer } from '@netts/core'
import { assertThrows } from '../harness/expect.js'
import type { Area } from './area.js'
import { sizesAround } from './send.js'

export const sendBufferRules: Area = (rule) => {
  rule('sendBuffer delivers every size byte for byte', async (context) => {
    const { client, server } = await context.pair()
    for (const byteLength of sizesAround(client.transport.maxSendSize)) {
      const target = client.sent + byteLength
      await Promise.all([client.send(byteLength, 'sendBuffer'), server.receiveTo(target)])
    }
    client.transport.finish()
    await server.receiveToEnd()
  })

  rule('sendBuffer and sendCopy keep their order among each other', async (context) => {
    const { client, server } = await context.pair()
    const writing = (async () => {
      for (let i = 0; i < 200; i++) {
        await client.send(1 + ((i * 37) % 900), (['sendBuffer', 'sendCopy', 'sendGather'] as const)[i % 3]!)
      }
      client.transport.finish()
    })()
    await Promise.all([writing, server.receiveToEnd()])
  })

  rule("an accepted buffer is the transport's, and returns to its pool once it was sent", async (context) => {
    const { client, server } = await context.pair()
    const { bufferPool } = client.transport
    const buffer = bufferPool.alloc(100)
    assert.equal(bufferPool.stats.outstanding, 1)
    buffer.bytes.fill(7)
    await client.until('capacity', () => client.transport.sendBuffer(buffer) || undefined)
    assertThrows(() => buffer.bytes, 'ERR_NETTS_BUFFER_RELEASED')
    assertThrows(() => buffer.release(), 'ERR_NETTS_BUFFER_RELEASED')
    assertThrows(() => client.transport.sendBuffer(buffer), 'ERR_NETTS_BUFFER_RELEASED')
    const out = [{ chunkIndex: -1, byteLength: -1 }]
    for (let received = 0; received < 100; received += out[0]!.byteLength) {
      await server.until('a chunk', () => server.transport.pollRecv(out) || undefined)
      assert.ok(server.transport.recvBuf(out[0]!.chunkIndex).every((byte) => byte === 7))
      server.transport.repostRecv(out[0]!.chunkIndex)
    }
    await client.completions()
    assert.equal(bufferPool.stats.outstanding, 0, 'buffers outstanding once every send completed')
  })

  rule('the bytes of a buffer are read, and never changed', async (context) => {
    const { client, server } = await context.pair()
    const buffer = client.transport.bufferPool.alloc(100)
    // `bytes` still shows the content after the send, until the memory is allocated again.
    const { bytes } = buffer
    bytes.fill(7)
    await client.until('capacity', () => client.transport.sendBuffer(buffer) || undefined)
    const out = [{ chunkIndex: -1, byteLength: -1 }]
    for (let received = 0; received < 100; received += out[0]!.byteLength) {
      await server.until('a chunk', () => server.transport.pollRecv(out) || undefined)
      server.transport.repostRecv(out[0]!.chunkIndex)
    }
    await client.completions()
    assert.ok(
      bytes.every((byte) => byte === 7),
      'a buffer has other bytes after it was sent',
    )
  })

  rule('the default range is the whole buffer, and an offset alone means the rest', async (context) => {
    const { client, server } = await context.pair()
    const lengths = [0, 60].map((byteOffset) => {
      const buffer = client.transport.bufferPool.alloc(100)
      buffer.bytes.fill(0xff)
      buffer.bytes.fill(byteOffset, byteOffset)
      return { buffer, byteOffset }
    })
    for (const { buffer, byteOffset } of lengths) {
      await client.until('capacity', () => {
        const accepted =
          byteOffset === 0
            ? client.transport.sendBuffer(buffer)
            : client.transport.sendBuffer(buffer, byteOffset)
        return accepted || undefined
      })
    }
    client.transport.finish()
    const counts = new Map<number, number>()
    const out = [{ chunkIndex: -1, byteLength: -1 }]
    await server.until('the end', () => {
      while (server.transport.pollRecv(out) > 0) {
        for (const byte of server.transport.recvBuf(out[0]!.chunkIndex)) {
          counts.set(byte, (counts.get(byte) ?? 0) + 1)
        }
        server.transport.repostRecv(out[0]!.chunkIndex)
      }
      return server.transport.recvEnded || undefined
    })
    assert.deepEqual(
      [...counts],
      [
        [0, 100],
        [60, 40],
      ],
    )
  })

  rule("a refused buffer stays the caller's", async (context) => {
    const { client, server } = await context.pair()
    const { transport } = client
    await client.sendUntilStuck(server.transport.recvWindow + context.settings.bufferedByteLength)
    // A transport may have capacity for buffers that copies do not use.
    const buffers: PooledBuffer[] = []
    for (;;) {
      const buffer = transport.bufferPool.alloc(100)
      buffers.push(buffer)
      if (!transport.sendBuffer(buffer)) break
    }
    const refused = buffers.pop()!
    assert.equal(refused.bytes.byteLength, 100)
    refused.release()
    for (const taken of buffers) assertThrows(() => taken.bytes, 'ERR_NETTS_BUFFER_RELEASED')
  })

  rule('a range that is empty, outside of the buffer or too long is refused', async (context) => {
    const { client } = await context.pair()
    const { transport } = client
    const buffer = transport.bufferPool.alloc(100)
    const ranges: [number, number?][] = [
      [100],
      [0, 0],
      [0, 101],
      [-1, 10],
      [50, 51],
      [0.5, 10],
      [0, Number.NaN],
    ]
    for (const [byteOffset, byteLength] of ranges) {
      assertThrows(() => transport.sendBuffer(buffer, byteOffset, byteLength), 'ERR_NETTS_INVALID_ARGUMENT')
    }
    assertThrows(() => transport.sendBuffer({} as PooledBuffer), 'ERR_NETTS_INVALID_ARGUMENT')
    assert.equal(buffer.bytes.byteLength, 100, "the buffer is still the caller's")
    buffer.release()
    if (transport.bufferPool.maxByteLength <= transport.maxSendSize) return
    const long = transport.bufferPool.alloc(transport.maxSendSize + 1)
    assertThrows(() => transport.sendBuffer(long), 'ERR_NETTS_INVALID_ARGUMENT')
    long.release()
  })

  rule('a released buffer is refused with ERR_NETTS_BUFFER_RELEASED', async (context) => {
    const { client } = await context.pair()
    const buffer = client.transport.bufferPool.alloc(10)
    buffer.release()
    assertThrows(() => client.transport.sendBuffer(buffer), 'ERR_NETTS_BUFFER_RELEASED')
  })

  rule('a buffer of another domain is refused with ERR_NETTS_FOREIGN_BUFFER', async (context) => {
    const { client } = await context.pair()
    const buffer = client.transport.bufferPool.alloc(10)
    const elsewhere = { ...bufferPoolLike(client.transport.bufferPool), domain: Symbol('elsewhere') }
    const foreign = new Proxy(buffer, {
      get: (target, name) => {
        if (name === 'pool') return elsewhere
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    assertThrows(() => client.transport.sendBuffer(foreign), 'ERR_NETTS_FOREIGN_BUFFER')
    buffer.release()
  })

  rule('buffers of a destroyed transport return to their pool', async (context) => {
    const { client } = await context.pair()
    const { transport } = client
    for (let i = 0; i < 100 && client.trySend(1000, 'sendBuffer') > 0; i++);
    transport.destroy(new NettsError('ERR_NETTS_DESTROYED', 'enough'))
    await context.eventually(
      () => `${transport.bufferPool.stats.outstanding} buffers to come back`,
      () => transport.bufferPool.stats.outstanding === 0,
    )
  })
}

function bufferPoolLike(pool: BufferPool): Pick<BufferPool, 'maxByteLength'> {
  return { maxByteLength: pool.maxByteLength }
}
