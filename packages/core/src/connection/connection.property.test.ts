/** Any messages, sent and received in any way, over any transport that keeps the contract. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { createBufferPool } from '../buffer-pool/create-buffer-pool.js'
import { NettsError } from '../errors.js'
import {
  connectionPair,
  expectBytes,
  expectNothingHeld,
  pattern,
  settle,
} from '../test-support/connection-pair.js'
import type { Connection, MessageLease } from './connection.js'

const message = fc.record({
  size: fc.oneof(fc.nat(40), fc.nat(1100), fc.integer({ min: 4000, max: 8000 }), fc.nat(20_000)),
  how: fc.constantFrom('send', 'trySend', 'framed', 'plain', 'foreign'),
  pause: fc.boolean(),
})
type Message = typeof message extends fc.Arbitrary<infer M> ? M : never

const reading = fc.array(fc.constantFrom('recv', 'lease', 'tryLease', 'iterate', 'hold', 'concurrent'), {
  minLength: 1,
  maxLength: 10,
})
type Reading = typeof reading extends fc.Arbitrary<infer R> ? R : never

/** Deterministic sizes from a seed: a different one at each call. */
function sizes(seed: number, least: number): (byteLength: number) => number {
  let state = seed
  return (byteLength) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.min(byteLength, least + ((state >>> 8) % byteLength))
  }
}

const wire = fc.record({
  maxSendSize: fc.integer({ min: 1024, max: 8000 }),
  spareWindow: fc.nat(20_000),
  chunkSeed: fc.option(fc.nat(), { nil: undefined }),
  acceptSeed: fc.option(fc.nat(), { nil: undefined }),
  pooledBuffers: fc.integer({ min: 1, max: 6 }),
})

const foreignPool = createBufferPool({ domain: Symbol('elsewhere') })

function tryAlloc(connection: Connection, byteLength: number): PooledBuffer | undefined {
  try {
    return connection.alloc(byteLength)
  } catch (error) {
    if ((error as NettsError).code === 'ERR_NETTS_POOL_EXHAUSTED') return undefined
    throw error
  }
}

async function sendAll(connection: Connection, messages: readonly Message[]): Promise<void> {
  const sends: Promise<void>[] = []
  for (const [n, { size, how, pause }] of messages.entries()) {
    const payload = pattern(size, n)
    const pool = how === 'foreign' ? foreignPool : connection.transport.bufferPool
    const framed = how === 'framed' && size + 4 <= pool.maxByteLength ? tryAlloc(connection, size) : undefined
    if (framed) {
      framed.bytes.set(payload)
      sends.push(connection.send(framed))
    } else if ((how === 'plain' || how === 'foreign') && size > 0) {
      const buffer = pool.tryAlloc(Math.min(size, pool.maxByteLength))
      if (buffer?.byteLength === size) {
        buffer.bytes.set(payload)
        sends.push(connection.send(buffer))
      } else {
        buffer?.release()
        sends.push(connection.send(payload))
      }
    } else if (how === 'trySend' && connection.trySend(payload)) {
      payload.fill(0xaa)
    } else {
      sends.push(connection.send(payload))
    }
    if (pause) await sends.at(-1)
  }
  await Promise.all(sends)
}

async function receiveAll(connection: Connection, messages: readonly Message[], how: Reading): Promise<void> {
  const held: { lease: MessageLease; n: number }[] = []
  const check = (lease: MessageLease, n: number) => expectBytes(lease.bytes, pattern(messages[n]!.size, n))
  let n = 0
  for (let turn = 0; n < messages.length; turn++) {
    const kind = how[turn % how.length]
    if (kind === 'lease' || kind === 'hold') {
      const lease = (await connection.recvLease())!
      check(lease, n)
      if (kind === 'hold') held.push({ lease, n })
      else lease.release()
      n++
    } else if (kind === 'tryLease') {
      for (let lease = connection.tryRecvLease(); lease; lease = connection.tryRecvLease()) {
        check(lease, n++)
        lease.release()
      }
      await settle()
    } else if (kind === 'iterate') {
      for await (const received of connection) {
        expectBytes(received, pattern(messages[n]!.size, n))
        n++
        break
      }
    } else if (kind === 'concurrent') {
      const count = Math.min(4, messages.length - n)
      const all = await Promise.all(Array.from({ length: count }, () => connection.recv()))
      for (const received of all) {
        expectBytes(received, pattern(messages[n]!.size, n))
        n++
      }
    } else {
      expectBytes(await connection.recv(), pattern(messages[n]!.size, n))
      n++
    }
  }
  for (const { lease, n } of held) {
    check(lease, n)
    lease.release()
  }
}

describe('a connection', () => {
  it('carries any messages in any way, in order, both ways, and holds nothing at the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 40 }),
        fc.array(message, { maxLength: 40 }),
        reading,
        reading,
        wire,
        fc.nat(30_000),
        async (toTwo, toOne, readingOfTwo, readingOfOne, wire, highWaterMark) => {
          const { chunkSeed, acceptSeed, pooledBuffers, maxSendSize, spareWindow } = wire
          const { one, two, transportOne, transportTwo } = connectionPair(
            {
              maxSendSize,
              recvWindow: maxSendSize + spareWindow,
              ...(chunkSeed !== undefined && { chunk: sizes(chunkSeed, 1) }),
              ...(acceptSeed !== undefined && { accept: sizes(acceptSeed, 1) }),
              bufferPool: createBufferPool({
                classes: [
                  { byteLength: 8192, count: pooledBuffers },
                  { byteLength: 30_000, count: 2 },
                ],
                detectLeaks: true,
              }),
            },
            { highWaterMark },
          )
          const stalled = setTimeout(() => one.destroy(new NettsError('ERR_NETTS_TIMEOUT', 'stalled')), 5000)
          await Promise.all([
            sendAll(one, toTwo),
            sendAll(two, toOne),
            receiveAll(two, toTwo, readingOfTwo),
            receiveAll(one, toOne, readingOfOne),
          ])
          const bytes = (messages: readonly Message[]) => messages.reduce((sum, { size }) => sum + size, 0)
          expect(one.stats).toMatchObject({ messagesSent: toTwo.length, bytesSent: bytes(toTwo) })
          expect(two.stats).toMatchObject({
            messagesReceived: toTwo.length,
            bytesReceived: bytes(toTwo),
            bytesBuffered: 0,
          })
          await Promise.all([one.flush(), two.flush()])
          one.finish()
          expect(await two.recv()).toBe(undefined)
          await Promise.all([one.close(), two.close()])
          clearTimeout(stalled)
          expect(await Promise.all([one.closed, two.closed])).toEqual([undefined, undefined])
          expectNothingHeld(transportOne, transportTwo)
          expect(foreignPool.stats.outstanding).toBe(0)
        },
      ),
      { numRuns: 100 },
    )
  })
})
