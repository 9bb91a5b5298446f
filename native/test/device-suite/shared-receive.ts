/** Shared receive queues: one supply for several queue pairs. */
import assert from 'node:assert/strict'
import { SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import { writeReceive } from '../../lib/verbs/records.js'
import type { DeviceTest } from './bench.js'
import { connectPair, type End, type EndOptions, listen } from './pair.js'

const REGION = { byteLength: 65_536 }

export function sharedReceiveTests(test: DeviceTest): void {
  test('several queue pairs draw on one supply, and completions say which', async (bench) => {
    const listener = listen(bench)
    const { device } = listener.id
    assert(device)
    if (device.attributes.maxSharedReceiveQueues === 0) return listener.id.close()
    const protectionDomain = device.allocateProtectionDomain()
    const region = protectionDomain.registerRegion(REGION)
    const shared = protectionDomain.createSharedReceiveQueue({ maxWorkRequests: 16 })
    const post = (first: number, count: number) => {
      for (let slot = 0; slot < count; slot++) {
        writeReceive(shared, slot, {
          id: BigInt(first + slot),
          entries: [{ region, byteOffset: (first + slot) * 64, byteLength: 64 }],
        })
      }
      assert.equal(shared.postReceive(count), count)
    }
    post(0, 8)
    const server: EndOptions = { protectionDomain, queuePair: { sharedReceiveQueue: shared } }
    const pairs = [
      await connectPair(bench, { server }, listener),
      await connectPair(bench, { server }, listener),
    ]
    const send = (client: End, seed: number) => {
      const bytes = client.fill(0, 64, seed)
      client.send({
        opcode: SendOpcode.send,
        flags: SendFlag.signalled,
        entries: [{ region: client.region, byteLength: 64 }],
      })
      return bytes
    }
    for (let round = 0; round < 6; round++) {
      for (const { client, server } of pairs) {
        const sent = send(client, round)
        const [received] = await server.completions.succeed(1)
        assert.equal(received?.queuePairNumber, server.queuePair.number)
        const at = Number(received?.id) * 64
        assert.deepEqual(region.bytes.slice(at, at + 64), sent)
        await client.completions.succeed(1)
      }
      post(8 + round * 2, 2)
    }
    for (const { close } of pairs) close()
    listener.id.close()
    shared.close()
    region.close()
    protectionDomain.close()
  })
}
