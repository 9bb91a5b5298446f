/** Messages for many chunks: they leave from the application's own memory, which comes back when the promise says so. */
import { createServer, type Socket } from 'node:net'
import { type Connection, connect } from '@netts/core'
import { expect, it, onTestFinished } from 'vitest'
import { tcp } from '../src/index.js'
import { pattern, sleep } from './support.js'

/** More than the kernel buffers for a peer that does not read. */
const LARGE_BYTES = 16 * 1024 * 1024

/** A connection to a plain socket that reads nothing until it is told to. */
async function openAgainstPlain(): Promise<{ connection: Connection; peer: Socket }> {
  const server = createServer({ pauseOnConnect: true })
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const connection = await connect(tcp(), { host: '127.0.0.1', port })
  const peer = await accepted
  peer.on('error', () => {})
  onTestFinished(() => {
    connection.destroy()
    peer.destroy()
    server.close()
  })
  return { connection, peer }
}

async function read(peer: Socket, byteLength: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let received = 0
  for await (const chunk of peer as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    received += chunk.byteLength
    if (received >= byteLength) break
  }
  return Buffer.concat(chunks)
}

it('waits for a peer that does not read, without a copy, and may be written over once it was accepted', async () => {
  const { connection, peer } = await openAgainstPlain()
  const payload = pattern(LARGE_BYTES)
  const before = Buffer.from(payload)
  const memoryBefore = process.memoryUsage().arrayBuffers
  let isSettled = false
  const sent = connection.send(payload).then(() => {
    isSettled = true
    payload.fill(0)
  })
  const behind = connection.send(Buffer.from('behind'))
  await sleep(200)
  expect(isSettled).toBe(false)
  expect(process.memoryUsage().arrayBuffers - memoryBefore).toBeLessThan(LARGE_BYTES / 4)
  const received = await read(peer, 4 + LARGE_BYTES + 4 + 6)
  await Promise.all([sent, behind])
  expect(received.readUInt32BE(0)).toBe(LARGE_BYTES)
  expect(before.compare(received, 4, 4 + LARGE_BYTES)).toBe(0)
  expect(String(received.subarray(8 + LARGE_BYTES))).toBe('behind')
  expect(connection.stats.zeroCopySends).toBe(1)
})

it('lets small messages follow at once, in order, as far as there is room', async () => {
  const { connection, peer } = await openAgainstPlain()
  const payload = pattern(1024 * 1024)
  const before = Buffer.from(payload)
  const sent = connection.send(payload).then(() => payload.fill(0))
  let count = 0
  while (count < 100 && connection.trySend(Buffer.from([count]))) count++
  expect(count).toBe(100)
  const received = await read(peer, 4 + before.byteLength + count * 5)
  await sent
  expect(before.compare(received, 4, 4 + before.byteLength)).toBe(0)
  for (let i = 0; i < count; i++) expect(received[4 + before.byteLength + i * 5 + 4]).toBe(i)
})

it.each(['destroyed here', 'reset by the peer'])('rejects when the connection is %s midway', async (how) => {
  const { connection, peer } = await openAgainstPlain()
  const sent = connection.send(pattern(LARGE_BYTES))
  const outcome = expect(sent).rejects.toMatchObject({
    code: how === 'destroyed here' ? 'ERR_NETTS_DESTROYED' : 'ERR_NETTS_RESET',
  })
  await sleep(50)
  if (how === 'destroyed here') connection.destroy()
  else peer.resetAndDestroy()
  await outcome
  expect(connection.transport.bufferPool.stats.outstanding).toBe(0)
})

it('is delivered whole when the connection is closed right behind it', async () => {
  const { connection, peer } = await openAgainstPlain()
  const payload = pattern(LARGE_BYTES)
  const sent = connection.send(payload)
  const closed = connection.close()
  const received = await read(peer, Number.POSITIVE_INFINITY)
  await Promise.all([sent, closed])
  expect(received.byteLength).toBe(4 + LARGE_BYTES)
  expect(payload.compare(received, 4)).toBe(0)
  expect(await connection.closed).toBe(undefined)
})

it('fails with its connection when its memory goes away while the kernel has a part of it', async () => {
  const { connection, peer } = await openAgainstPlain()
  const payload = Uint8Array.from(pattern(LARGE_BYTES))
  const sent = connection.send(payload)
  // Until the kernel takes no more: then a write is under way.
  await sleep(200)
  const moved = structuredClone(payload.buffer, { transfer: [payload.buffer] })
  peer.resume()
  await expect(sent).rejects.toMatchObject({ code: 'ERR_NETTS_BUFFER_DETACHED' })
  expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_BUFFER_DETACHED' })
  expect(moved.byteLength).toBe(LARGE_BYTES)
})
