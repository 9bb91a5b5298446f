/** Backpressure over TCP, end to end: a reader ten times slower than the writer costs the writer no memory. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { listen } from '@netts/core'
import { expect, it } from 'vitest'
import { tcp } from '../src/index.js'

const MESSAGE = 64 * 1024
const MEBIBYTE = 1024 * 1024
const COUNT = (4 * 1024 * MEBIBYTE) / MESSAGE

/** What the writer process reports. */
interface WriterReport {
  /** Resident set size in bytes before the first message, and the largest seen while writing. */
  readonly rssBefore: number
  readonly rssPeak: number
}

it('streams 4 GiB to a reader ten times slower than the writer, whose RSS grows by less than 64 MiB', async () => {
  await using listener = await listen(tcp(), { host: '127.0.0.1', port: 0 })
  const writer = fork(fileURLToPath(new URL('slow-reader.writer.ts', import.meta.url)), [], {
    execArgv: ['--conditions=@netts/source', '--import', 'tsx'],
  })
  const report = once(writer, 'message') as Promise<[WriterReport]>
  writer.send({ address: listener.address, byteLength: MESSAGE, count: COUNT })

  const connection = await listener.accept()
  if (!connection) throw new Error('nobody connected')
  let messages = 0
  let busyMs = 0
  for (;;) {
    const start = performance.now()
    const lease = connection.tryRecvLease() ?? (await connection.recvLease())
    if (!lease) break
    // The writer stamps every message with its number and fills the rest with it.
    const expected = messages & 0xff
    expect(lease.byteLength).toBe(MESSAGE)
    if (lease.chunk[lease.byteOffset] !== expected || lease.bytes.indexOf(expected ^ 0xff) !== -1) {
      throw new Error(`message ${messages} arrived damaged`)
    }
    lease.release()
    messages++
    busyMs += performance.now() - start
    // Nine times as long idle as busy, in naps of some milliseconds.
    if (busyMs >= 1) {
      await new Promise((resolve) => setTimeout(resolve, busyMs * 9))
      busyMs = 0
    }
  }
  expect(messages).toBe(COUNT)
  const [{ rssBefore, rssPeak }] = await report
  expect(rssPeak - rssBefore).toBeLessThan(64 * MEBIBYTE)
  await connection.close()
})
