/** Compare-and-swap and fetch-and-add, where the device has them. */
import assert from 'node:assert/strict'
import {
  AccessFlag,
  CompletionOpcode,
  CompletionStatus,
  SendFlag,
  SendOpcode,
} from '../../lib/verbs/layout.js'
import type { SendWorkRequest } from '../../lib/verbs/records.js'
import type { DeviceTest } from './bench.js'
import { connectPair, type End, listen } from './pair.js'

const options = {
  server: { access: AccessFlag.localWrite | AccessFlag.remoteAtomic },
}

/** An atomic on the 64-bit number at the beginning of the server's region; the old value comes to `local`. */
function atomic(server: End, client: End, local: number, request: Partial<SendWorkRequest>): SendWorkRequest {
  return {
    opcode: SendOpcode.fetchAndAdd,
    flags: SendFlag.signalled,
    entries: [{ region: client.region, byteOffset: local, byteLength: 8 }],
    remoteAddress: server.region.remoteAddress,
    remoteKey: server.region.remoteKey,
    ...request,
  }
}

/** The region as 64-bit numbers. */
const numbers = ({ region }: End) =>
  new BigUint64Array(region.bytes.buffer, region.bytes.byteOffset, region.byteLength / 8)

export function atomicTests(test: DeviceTest): void {
  test('atomics are refused where the device has none', async (bench) => {
    const { client, server, close } = await connectPair(bench, options)
    if (!client.device.capabilities.atomics) {
      assert.throws(() => client.send(atomic(server, client, 0, {})), { code: 'ERR_NETTS_UNSUPPORTED' })
    }
    close()
  })

  test('fetch-and-add adds, and brings the value before', async (bench) => {
    const { client, server, close } = await connectPair(bench, options)
    if (client.device.capabilities.atomics) {
      numbers(server)[0] = 0xffff_ffff_ffff_fffen
      client.send(atomic(server, client, 8, { compareOrAdd: 5n }))
      const [done] = await client.completions.succeed(1)
      assert.equal(done?.opcode, CompletionOpcode.fetchAndAdd)
      assert.equal(numbers(client)[1], 0xffff_ffff_ffff_fffen)
      assert.equal(numbers(server)[0], 3n)
    }
    close()
  })

  test('compare-and-swap swaps only what it expects', async (bench) => {
    const { client, server, close } = await connectPair(bench, options)
    if (client.device.capabilities.atomics) {
      const request = { opcode: SendOpcode.compareAndSwap, compareOrAdd: 7n, swap: 0x1234_5678_9abc_def0n }
      numbers(server)[0] = 7n
      client.send(atomic(server, client, 0, request))
      const [done] = await client.completions.succeed(1)
      assert.equal(done?.opcode, CompletionOpcode.compareAndSwap)
      assert.equal(numbers(client)[0], 7n)
      assert.equal(numbers(server)[0], 0x1234_5678_9abc_def0n)
      client.send(atomic(server, client, 0, { ...request, swap: 1n }))
      await client.completions.succeed(1)
      assert.equal(numbers(client)[0], 0x1234_5678_9abc_def0n)
      assert.equal(numbers(server)[0], 0x1234_5678_9abc_def0n)
    }
    close()
  })

  test('two clients that add to one counter lose no count', async (bench) => {
    const listener = listen(bench)
    const first = await connectPair(bench, options, listener)
    const { protectionDomain } = first.server
    const second = await connectPair(bench, { server: { ...options.server, protectionDomain } }, listener)
    if (first.client.device.capabilities.atomics) {
      numbers(first.server)[0] = 0n
      const add = ({ client }: typeof first) =>
        client.send(
          ...Array.from({ length: 16 }, (_, index) =>
            atomic(first.server, client, index * 8, { compareOrAdd: 1n }),
          ),
        )
      add(first)
      add(second)
      await first.client.completions.succeed(16)
      await second.client.completions.succeed(16)
      assert.equal(numbers(first.server)[0], 32n)
      const seen = [...numbers(first.client).slice(0, 16), ...numbers(second.client).slice(0, 16)]
      assert.equal(new Set(seen).size, 32)
    }
    second.close()
    first.close()
    listener.id.close()
  })

  test('an atomic without permission breaks the connection', async (bench) => {
    const access = AccessFlag.localWrite | AccessFlag.remoteWrite
    const { client, server, close } = await connectPair(bench, { server: { access } })
    if (client.device.capabilities.atomics) {
      numbers(server)[0] = 1n
      client.send(atomic(server, client, 0, { compareOrAdd: 1n }))
      const [done] = await client.completions.take(1)
      assert.notEqual(done?.status, CompletionStatus.success)
      assert.equal(numbers(server)[0], 1n)
    }
    close()
  })

  test('an atomic that is not aligned is refused', async (bench) => {
    const { client, server, close } = await connectPair(bench, options)
    if (client.device.capabilities.atomics) {
      const remoteAddress = server.region.remoteAddress + 4n
      assert.throws(() => client.send(atomic(server, client, 0, { compareOrAdd: 1n, remoteAddress })), {
        code: 'ERR_NETTS_INVALID_ARGUMENT',
      })
    }
    close()
  })
}
