/** What a connection makes of the chunks that come in. */
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
import type { MessageLease } from './connection.js'

const refused = (code: string) => expect.objectContaining({ code })
const pipelined = (sizes: number[]) => Buffer.concat(sizes.map((size) => frame(pattern(size))))

describe('recv', () => {
  it('gives memory of the caller’s own', async () => {
    const { connection, transport, peer } = connectionAndPeer()
    peer.sendCopy(pipelined([10, 10]))
    const message = await connection.recv()
    await connection.recv()
    // The loopback fills what was released with rubbish.
    expectBytes(message, pattern(10))
    expect(Buffer.isBuffer(message)).toBe(true)
    expectNothingHeld(transport)
  })

  it('tells an empty message from the end', async () => {
    const { connection, peer } = connectionAndPeer()
    peer.sendCopy(frame(''))
    peer.finish()
    expect(await connection.recv()).toEqual(Buffer.alloc(0))
    expect(await connection.recv()).toBe(undefined)
    expect(await connection.recv()).toBe(undefined)
    expect(await connection.recvLease()).toBe(undefined)
    expect(connection.tryRecvLease()).toBe(undefined)
  })

  it('goes on reading ahead when what held it back was taken, whether more is asked for or not', async () => {
    const { connection, peer } = connectionAndPeer({}, { highWaterMark: 100 })
    for (const seed of [1, 2]) peer.sendCopy(frame(pattern(200, seed)))
    await settle()
    expect(connection.stats.chunksReceived).toBe(1)
    expectBytes(await connection.recv(), pattern(200, 1))
    await settle()
    expect(connection.stats.chunksReceived).toBe(2)
    expectBytes(await connection.recv(), pattern(200, 2))
  })

  it.each([1, 2, 3, 4, 5, 7, 1000])('finds messages in chunks of %i bytes', async (chunk) => {
    const { connection, transport, peer } = connectionAndPeer({ chunk: (length) => Math.min(chunk, length) })
    const sizes = [0, 1, 2, 3, 4, 5, 0, 0, 1000, 996, 0, 3000]
    peer.sendCopy(pipelined(sizes))
    peer.finish()
    for (const size of sizes) expectBytes(await connection.recv(), pattern(size))
    expect(await connection.recv()).toBe(undefined)
    expect(connection.stats).toMatchObject({
      messagesReceived: sizes.length,
      bytesReceived: sizes.reduce((sum, size) => sum + size),
      bytesBuffered: 0,
    })
    expectNothingHeld(transport)
  })

  it('serves concurrent calls in order, leases and others', async () => {
    const { connection, peer } = connectionAndPeer()
    const waiting = [
      connection.recv(),
      connection.recvLease().then((lease) => lease?.bytes.slice()),
      connection.recv(),
      connection.recv(),
    ]
    peer.sendCopy(frame('one'))
    await settle()
    peer.sendCopy(Buffer.concat([frame('two'), frame('three')]))
    peer.finish()
    const received = await Promise.all(waiting)
    expect(received.map((message) => message && Buffer.from(message).toString())).toEqual([
      'one',
      'two',
      'three',
      undefined,
    ])
  })

  it('loses no message when it is cancelled', async () => {
    const { connection, peer } = connectionAndPeer()
    const controller = new AbortController()
    const { signal } = controller
    const abandoned = [connection.recv({ signal }), connection.recvLease({ signal })]
    const patient = connection.recv()
    controller.abort('enough')
    peer.sendCopy(frame('only'))
    for (const one of abandoned) {
      await expect(one).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED', cause: 'enough' })
    }
    expect((await patient)?.toString()).toBe('only')
    peer.sendCopy(frame('more'))
    await settle()
    await expect(connection.recv({ signal })).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    expect((await connection.recv())?.toString()).toBe('more')
    peer.finish()
    await settle()
    await expect(connection.recv({ signal })).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
  })

  it('rejects a signal that is none', async () => {
    const { connection, peer } = connectionAndPeer()
    peer.sendCopy(frame('kept'))
    await expect(connection.recv({ signal: {} as never })).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
    await expect(connection.recvLease({ signal: null as never })).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
    expect((await connection.recv())?.toString()).toBe('kept')
  })
})

describe('leases', () => {
  it('show a message in the chunk where it arrived', async () => {
    const { connection, transport, peer } = connectionAndPeer()
    peer.sendCopy(pipelined([100, 200]))
    const one = (await connection.recvLease())!
    const two = connection.tryRecvLease()!
    expect(connection.tryRecvLease()).toBe(undefined)
    expect(two.chunk).toBe(one.chunk)
    expect([one.byteOffset, one.byteLength, two.byteOffset, two.byteLength]).toEqual([4, 100, 108, 200])
    expectBytes(one.bytes, pattern(100))
    expect(one.bytes).toBe(one.bytes)
    expectBytes(two.chunk.subarray(two.byteOffset, two.byteOffset + two.byteLength), pattern(200))
    two.release()
    // The chunk is released with its last message.
    expect(transport.chunks.size).toBe(1)
    expectBytes(one.bytes, pattern(100))
    one[Symbol.dispose]()
    expectNothingHeld(transport)
    expect(connection.stats).toMatchObject({ assembledLeases: 0, copiedLeases: 0 })
  })

  it('show a payload in place whose header came in the chunk before', async () => {
    const { connection, transport, peer } = connectionAndPeer()
    const wire = pipelined([100, 50])
    peer.sendCopy(wire.subarray(0, 3))
    peer.sendCopy(wire.subarray(3, 4))
    peer.sendCopy(wire.subarray(4))
    const lease = (await connection.recvLease())!
    expect(lease.byteOffset).toBe(0)
    expectBytes(lease.bytes, pattern(100))
    expectBytes(await connection.recv(), pattern(50))
    lease.release()
    const [header, payload] = [frame(pattern(70)).subarray(0, 4), pattern(70)]
    peer.sendCopy(header)
    peer.sendCopy(payload)
    const whole = (await connection.recvLease())!
    expectBytes(whole.bytes, pattern(70))
    whole.release()
    expect(connection.stats.assembledLeases).toBe(0)
    expectNothingHeld(transport)
  })

  it('are assembled, in memory that is used again, when a message lies in several chunks', async () => {
    const { connection, transport, peer } = connectionAndPeer({ chunk: (length) => Math.min(length, 1000) })
    const memory = new Set<ArrayBufferLike>()
    for (let n = 0; n < 20; n++) {
      peer.sendCopy(frame(pattern(5000, n)))
      const lease = (await connection.recvLease())!
      expectBytes(lease.bytes, pattern(5000, n))
      memory.add(lease.chunk.buffer)
      lease.release()
    }
    expect(connection.stats.assembledLeases).toBe(20)
    expect(memory.size).toBeLessThan(3)
    expectNothingHeld(transport)
  })

  it('refuse everything after their release', async () => {
    const { connection, peer } = connectionAndPeer()
    peer.sendCopy(frame('message'))
    const lease = (await connection.recvLease())!
    lease.release()
    const code = refused('ERR_NETTS_BUFFER_RELEASED')
    expect(() => lease.bytes).toThrow(code)
    expect(() => lease.byteLength).toThrow(code)
    expect(() => lease.chunk).toThrow(code)
    expect(() => lease.byteOffset).toThrow(code)
    expect(() => lease.release()).toThrow(code)
    lease[Symbol.dispose]()
  })

  it('are copied out rather than pinning the last receive slots', async () => {
    const { one, two, transportTwo } = connectionPair({ maxSendSize: 1024, recvWindow: 8192 })
    const leases: MessageLease[] = []
    // Far more than the window: would all of them stay in place, the peer could never go on.
    for (let n = 0; n < 100; n++) {
      await one.send(pattern(1000, n))
      leases.push((await two.recvLease())!)
    }
    for (const [n, lease] of leases.entries()) expectBytes(lease.bytes, pattern(1000, n))
    expect(two.stats.copiedLeases).toBe(96)
    expect(transportTwo.chunks.size).toBe(4)
    for (const lease of leases.reverse()) lease.release()
    expectNothingHeld(transportTwo)
    await one.send(pattern(1000))
    ;(await two.recvLease())!.release()
    expect(two.stats.copiedLeases).toBe(96)
  })

  it('may be released in any order, and after the connection is closed', async () => {
    const { one, two, transportTwo } = connectionPair()
    const leases: MessageLease[] = []
    for (let n = 0; n < 10; n++) {
      await one.send(pattern(100, n))
      if (n % 3 === 0) await one.flush()
    }
    for (let n = 0; n < 10; n++) leases.push((await two.recvLease())!)
    await Promise.all([one.close(), two.close()])
    for (const n of [3, 9, 0, 1, 8, 2, 5, 4, 7, 6]) {
      expectBytes(leases[n]!.bytes, pattern(100, n))
      leases[n]!.release()
    }
    expectNothingHeld(transportTwo)
  })
})

describe('memory', () => {
  it('is not assembled further ahead than highWaterMark and one message', async () => {
    const { connection, peer, transport } = connectionAndPeer(
      { recvWindow: 8192, chunk: (length) => Math.min(length, 512) },
      { highWaterMark: 4000 },
    )
    const wire = Buffer.concat(Array.from({ length: 50 }, (_, n) => frame(pattern(1000, n))))
    let sent = 0
    const push = () => {
      for (let taken = 1; taken > 0 && sent < wire.byteLength; sent += taken) {
        taken = peer.sendCopy(wire.subarray(sent))
      }
    }
    peer.waker = push
    push()
    await settle()
    expect(connection.stats.bytesBuffered).toBeGreaterThanOrEqual(3000)
    expect(connection.stats.bytesBuffered).toBeLessThan(5000)
    expect(sent).toBeLessThanOrEqual(8192 + 5000)
    for (let n = 0; n < 50; n++) {
      expectBytes(await connection.recv(), pattern(1000, n))
      expect(connection.stats.bytesBuffered).toBeLessThan(5000)
    }
    expectNothingHeld(transport)
  })

  it('stays in the transport while whole messages wait', async () => {
    const { connection, peer, transport } = connectionAndPeer()
    peer.sendCopy(pipelined([1000, 1000]))
    await settle()
    expect(transport.chunks.size).toBe(1)
    expect(connection.stats.bytesBuffered).toBe(2000)
    connection.destroy()
    expectNothingHeld(transport)
  })

  it('is taken for a message larger than the window of the transport', async () => {
    const { one, two } = connectionPair({ recvWindow: 4096, maxSendSize: 1024 })
    const message = pattern(200_000)
    const [received] = await Promise.all([two.recv(), one.send(message)])
    expectBytes(received, message)
  })
})

describe('a peer that lies', () => {
  it('is disconnected when it announces more than maxMessageSize, after what it sent before', async () => {
    const { connection, peer, transport } = connectionAndPeer({}, { maxMessageSize: 1000 })
    const header = Buffer.from([0, 0, 3, 233])
    peer.sendCopy(Buffer.concat([pipelined([1000, 5]), header, pattern(2000)]))
    await settle()
    expect(peer.error).toMatchObject({ code: 'ERR_NETTS_RESET' })
    expectBytes(await connection.recv(), pattern(1000))
    expectBytes(await connection.recv(), pattern(5))
    const error = refused('ERR_NETTS_PROTOCOL')
    await expect(connection.recv()).rejects.toEqual(error)
    await expect(connection.recv()).rejects.toEqual(error)
    expect(await connection.closed).toEqual(error)
    expect(() => connection.trySend(pattern(1))).toThrow(error)
    await expect(connection.send(pattern(1))).rejects.toEqual(error)
    expectNothingHeld(transport)
  })

  it('is found out in a header that comes in pieces', async () => {
    const { connection, peer, transport } = connectionAndPeer({ chunk: () => 1 })
    peer.sendCopy(Buffer.from([255, 255, 255, 255, 1, 2, 3]))
    await expect(connection.recv()).rejects.toMatchObject({
      code: 'ERR_NETTS_PROTOCOL',
      message: 'the peer announced a message of 4294967295 bytes; maxMessageSize is 16777216',
    })
    expectNothingHeld(transport)
  })

  it.each([1, 3, 4, 5, 9])('and finishes after %i bytes of a message is an error', async (count) => {
    const { connection, peer, transport } = connectionAndPeer()
    peer.sendCopy(Buffer.concat([frame('whole'), frame(pattern(6)).subarray(0, count)]))
    peer.finish()
    expect((await connection.recv())?.toString()).toBe('whole')
    await expect(connection.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_TRUNCATED' })
    expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_TRUNCATED' })
    expectNothingHeld(transport)
  })

  it('costs no memory for what it only announces', async () => {
    const { connection, peer } = connectionAndPeer({}, { maxMessageSize: 2 ** 32 - 1 })
    const before = process.memoryUsage().arrayBuffers
    peer.sendCopy(Buffer.from([255, 255, 255, 255, 1, 2, 3]))
    await settle()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 << 20)
    expect(connection.stats.bytesBuffered).toBe(0)
    connection.destroy()
  })
})

describe('async iteration', () => {
  it('gives every message, and finishes this side at the end', async () => {
    const { one, two } = connectionPair()
    const sizes = [10, 0, 100_000, 5]
    for (const size of sizes) await one.send(pattern(size))
    one.finish()
    const received: Buffer[] = []
    for await (const message of two) received.push(message)
    expect(received.map((message) => message.byteLength)).toEqual(sizes)
    expect(await one.recv()).toBe(undefined)
    expect(await Promise.all([one.closed, two.closed])).toEqual([undefined, undefined])
  })

  it('leaves this side open at the end with allowHalfOpen, for answers that come later', async () => {
    const { one, two } = connectionPair({}, { allowHalfOpen: true })
    await one.send(Buffer.from('question'))
    one.finish()
    const received: string[] = []
    for await (const message of two) received.push(message.toString())
    expect(received).toEqual(['question'])
    await settle()
    expect(two.state).toBe('open')
    await two.send(Buffer.from('answer'))
    expect((await one.recv())?.toString()).toBe('answer')
    await two.close()
    expect(await one.recv()).toBe(undefined)
  })

  it('can be left and begun again without losing a message', async () => {
    const { one, two } = connectionPair()
    for (const text of ['one', 'two', 'three']) await one.send(Buffer.from(text))
    for await (const message of two) {
      expect(message.toString()).toBe('one')
      break
    }
    expect((await two.recv())?.toString()).toBe('two')
    one.finish()
    const rest: string[] = []
    for await (const message of two) rest.push(message.toString())
    expect(rest).toEqual(['three'])
  })

  it('throws what ended the connection, after what arrived before', async () => {
    const { connection, peer } = connectionAndPeer()
    peer.sendCopy(frame('before'))
    peer.destroy()
    const received: string[] = []
    await expect(
      (async () => {
        for await (const message of connection) received.push(message.toString())
      })(),
    ).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
    expect(received).toEqual(['before'])
  })
})

describe('an incomplete message', () => {
  it('does not keep the process alive', async () => {
    const { connection, peer } = connectionAndPeer()
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    peer.sendCopy(Uint8Array.of(0))
    await settle()
    expect(timers()).toBe(before)
    connection.destroy()
  })
})
