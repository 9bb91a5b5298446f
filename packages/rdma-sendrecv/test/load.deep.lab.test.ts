/** Much at a time, on each device of the lab: to a slow reader, and over many connections to one listener. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { connect, listen } from '@netts/core'
import { assertNoRepeats, labDevices, repeatCounts } from '@netts/rdma-suite/lab-devices'
import { openVerbs } from '@netts/verbs'
import { type SendRecvTransport, sendRecv } from '../src/index.js'

const STREAM_MIB = 256
const CONNECTIONS = 500
const MESSAGE_BYTES = 65_536
/** As the README says. */
const IDLE_BYTES = 164_992
const MOST_BYTES = 3_441_792

const fileDescriptors = () => readdirSync('/proc/self/fd').length

async function nothingPinned(): Promise<void> {
  const verbs = openVerbs()
  for (let tries = 0; verbs.pinnedBytes > 0; tries++) {
    assert.ok(tries < 600, `${verbs.pinnedBytes} bytes are pinned still: ${JSON.stringify(verbs.counts)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

for (const device of labDevices()) {
  const { name, address } = device
  describe(`load on ${name}`, { timeout: 600_000 }, () => {
    it(`${STREAM_MIB} MiB to a reader that is slower arrive whole, within bounded memory`, async () => {
      const messages = (STREAM_MIB * 2 ** 20) / MESSAGE_BYTES
      const server = await listen(sendRecv(), { host: address, port: 0 })
      const [near, far] = await Promise.all([connect(sendRecv(), server.address), server.accept()])
      const [writer, reader] = [near.transport as SendRecvTransport, far!.transport as SendRecvTransport]
      const repeatsBefore = repeatCounts(device)
      const rssBefore = process.memoryUsage().rss
      let mostRss = 0
      const writing = (async () => {
        const bytes = Buffer.alloc(MESSAGE_BYTES)
        for (let i = 0; i < messages; i++) await near.send(bytes.fill(i))
        near.finish()
      })()
      let received = 0
      for await (const message of far!) {
        assert.ok(message.equals(Buffer.alloc(MESSAGE_BYTES, received)), `message ${received}`)
        received++
        assert.ok(writer.pinnedBytes <= MOST_BYTES && reader.pinnedBytes <= MOST_BYTES)
        mostRss = Math.max(mostRss, process.memoryUsage().rss)
        if (received % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await writing
      assert.equal(received, messages)
      assertNoRepeats(device, repeatsBefore)
      assert.ok(mostRss - rssBefore < 96 * 2 ** 20, `it grew by ${(mostRss - rssBefore) / 2 ** 20} MiB`)
      await Promise.all([near.close(), far!.close(), server.close()])
      await nothingPinned()
    })

    it(`${CONNECTIONS} connections to one listener pin what the README says, and take no file descriptors`, async () => {
      const builder = sendRecv({ keepAliveIntervalMs: 0 })
      const server = await builder.listen({ host: address, port: 0 }, { backlog: CONNECTIONS })
      const first = await Promise.all([
        builder.connect(server.address, { timeoutMs: 60_000 }),
        server.accept(),
      ])
      const descriptors = fileDescriptors()
      const transports: SendRecvTransport[] = [first[0], first[1]!]
      while (transports.length < 2 * CONNECTIONS) {
        // siw gives up on a handshake after 5 s, which an emulated machine with many at a time takes.
        const some = Math.min(8, CONNECTIONS - transports.length / 2)
        const pairs = Array.from({ length: some }, () => [
          builder.connect(server.address, { timeoutMs: 120_000 }),
          server.accept(),
        ])
        for (const transport of await Promise.all(pairs.flat())) transports.push(transport!)
      }
      assert.equal(
        transports.reduce((sum, { pinnedBytes }) => sum + pinnedBytes, 0),
        2 * CONNECTIONS * IDLE_BYTES,
      )
      // Slabs are shared, so that no more than one of each kind is partly unused.
      assert.ok(openVerbs().pinnedBytes <= 2 * CONNECTIONS * IDLE_BYTES * 1.1 + 2 ** 20)
      assert.equal(fileDescriptors(), descriptors)
      for (const transport of transports) assert.equal(transport.sendCopy(Buffer.from('x')), 1)
      for (const transport of transports) {
        const out = [{ chunkIndex: -1, byteLength: -1 }]
        while (transport.pollRecv(out) === 0) await new Promise((resolve) => setImmediate(resolve))
        transport.repostRecv(out[0]!.chunkIndex)
      }
      for (const transport of transports) transport.disconnect()
      await server.close()
      await nothingPinned()
    })
  })
}
