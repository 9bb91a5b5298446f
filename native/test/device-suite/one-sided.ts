/** Write and Read: the peer's memory, its keys, bounds and access flags. */
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
import { connectPair, type End } from './pair.js'

const { localWrite, remoteRead, remoteWrite } = AccessFlag

/** A signalled one-sided request of `client` on `server`'s region. */
function on(
  server: End,
  client: End,
  opcode: number,
  at: { local: number; remote: number; byteLength: number },
): SendWorkRequest {
  return {
    id: BigInt(opcode),
    opcode,
    flags: SendFlag.signalled,
    entries: [{ region: client.region, byteOffset: at.local, byteLength: at.byteLength }],
    remoteAddress: server.region.remoteAddress + BigInt(at.remote),
    remoteKey: server.region.remoteKey,
  }
}

export function oneSidedTests(test: DeviceTest): void {
  const open = { server: { access: localWrite | remoteRead | remoteWrite } }

  test('Write puts bytes where the peer allows it, and nowhere else', async (bench) => {
    const { client, server, close } = await connectPair(bench, open)
    for (const byteLength of [1, 4095, 10_000]) {
      server.region.bytes.fill(0xee)
      const written = client.fill(10, byteLength, byteLength)
      client.send(on(server, client, SendOpcode.write, { local: 10, remote: 777, byteLength }))
      const [done] = await client.completions.succeed(1)
      assert.equal(done?.opcode, CompletionOpcode.write)
      // On iWARP a Write is complete before it arrives; a Read behind it is not.
      client.send(on(server, client, SendOpcode.read, { local: 20_000, remote: 777, byteLength }))
      await client.completions.succeed(1)
      assert.deepEqual(server.bytes(777, byteLength), written)
      assert.equal(server.region.bytes[776], 0xee)
      assert.equal(server.region.bytes[777 + byteLength], 0xee)
    }
    close()
  })

  test('Read brings bytes', async (bench) => {
    const { client, server, close } = await connectPair(bench, open)
    const there = server.fill(5000, 9000, 3)
    client.send(on(server, client, SendOpcode.read, { local: 100, remote: 5000, byteLength: 9000 }))
    const [done] = await client.completions.succeed(1)
    assert.equal(done?.opcode, CompletionOpcode.read)
    assert.deepEqual(client.bytes(100, 9000), there)
    close()
  })

  test('a Send arrives after the Writes before it', async (bench) => {
    const { client, server, close } = await connectPair(bench, open)
    for (let round = 0; round < 5; round++) {
      const written = client.fill(0, 5000, round)
      server.receive({ id: 1n })
      client.send(
        { ...on(server, client, SendOpcode.write, { local: 0, remote: 0, byteLength: 5000 }), flags: 0 },
        { opcode: SendOpcode.send, flags: SendFlag.signalled },
      )
      await server.completions.succeed(1)
      assert.deepEqual(server.bytes(0, 5000), written)
      await client.completions.succeed(1)
    }
    close()
  })

  test('Write with immediate takes a receive and says how much came', async (bench) => {
    const { client, server, close } = await connectPair(bench, open)
    const request = {
      ...on(server, client, SendOpcode.writeWithImmediate, { local: 0, remote: 64, byteLength: 300 }),
      immediate: 0x01020304,
    }
    if (client.device.capabilities.immediateData) {
      const written = client.fill(0, 300, 9)
      server.receive({ id: 11n })
      client.send(request)
      const [received] = await server.completions.succeed(1)
      assert.equal(received?.id, 11n)
      assert.equal(received?.opcode, CompletionOpcode.receiveWriteWithImmediate)
      assert.equal(received?.immediate, 0x01020304)
      assert.equal(received?.byteLength, 300)
      assert.deepEqual(server.bytes(64, 300), written)
      await client.completions.succeed(1)
    } else {
      assert.throws(() => client.send(request), { code: 'ERR_NETTS_UNSUPPORTED' })
    }
    close()
  })

  test('a Write of no bytes needs no key, and is a sign of life', async (bench) => {
    const { client, close } = await connectPair(bench)
    client.send({ id: 1n, opcode: SendOpcode.write, flags: SendFlag.signalled })
    await client.completions.succeed(1)
    close()
  })

  test('a Read of no bytes needs no key, and is a sign of life', async (bench) => {
    const { client, close } = await connectPair(bench)
    client.send({ id: 1n, opcode: SendOpcode.read, flags: SendFlag.signalled })
    await client.completions.succeed(1)
    close()
  })

  test('a Read of no bytes takes nothing from earlier requests in its place of the queue', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    const empty = { opcode: SendOpcode.read, flags: SendFlag.signalled, entries: [] }
    const message = {
      opcode: SendOpcode.send,
      flags: SendFlag.signalled,
      entries: [{ region: client.region, byteLength: 100 }],
    }
    // More than the queue's 32 places, so that each was a Send's before it is a Read's.
    for (let round = 0; round < 20; round++) {
      server.receive({ entries: [{ region: server.region, byteLength: 100 }] })
      server.receive({ entries: [{ region: server.region, byteLength: 100 }] })
      client.send(message, message, empty)
      await client.completions.succeed(3)
      await server.completions.succeed(2)
    }
    close()
  })

  test('a fenced Send leaves after the Read before it', async (bench) => {
    const { client, server, close } = await connectPair(bench, open)
    const there = server.fill(0, 64, 5)
    server.receive({ entries: [{ region: server.region, byteOffset: 1000, byteLength: 64 }] })
    client.send(on(server, client, SendOpcode.read, { local: 0, remote: 0, byteLength: 64 }), {
      opcode: SendOpcode.send,
      flags: SendFlag.signalled | SendFlag.fence,
      entries: [{ region: client.region, byteLength: 64 }],
    })
    await server.completions.succeed(1)
    assert.deepEqual(server.bytes(1000, 64), there)
    await client.completions.succeed(2)
    close()
  })

  const forbidden: readonly [string, number, (server: End) => Partial<SendWorkRequest>, number][] = [
    ['a Write without permission', SendOpcode.write, () => ({}), localWrite | remoteRead],
    ['a Read without permission', SendOpcode.read, () => ({}), localWrite | remoteWrite],
    [
      'a Write with a wrong key',
      SendOpcode.write,
      ({ region }) => ({ remoteKey: (region.remoteKey ^ 0x5500) >>> 0 }),
      localWrite | remoteWrite,
    ],
    [
      "a Write over the region's end",
      SendOpcode.write,
      ({ region }) => ({ remoteAddress: region.remoteAddress + BigInt(region.byteLength - 99) }),
      localWrite | remoteWrite,
    ],
    [
      "a Read before the region's beginning",
      SendOpcode.read,
      ({ region }) => ({ remoteAddress: region.remoteAddress - 1n }),
      localWrite | remoteRead,
    ],
  ]
  for (const [what, opcode, wrong, access] of forbidden) {
    test(`${what} changes nothing and breaks the connection`, async (bench) => {
      if (what.startsWith('a Read without') && bench.deviations?.includes('read-permission-unchecked')) return
      const { client, server, close } = await connectPair(bench, { server: { access } })
      const before = server.fill(0, server.region.byteLength, 8)
      const sinkBefore = client.fill(0, 100, 1)
      client.receive({ id: 5n })
      client.send({
        ...on(server, client, opcode, { local: 0, remote: 0, byteLength: 100 }),
        ...wrong(server),
      })
      if (client.device.transport === 'infiniband') {
        const completions = await client.completions.take(2)
        const request = completions.find(({ id }) => id === BigInt(opcode))
        assert.equal(request?.status, CompletionStatus.remoteAccessError)
      } else {
        // The Write may have completed before the peer's adapter refused it; the connection tells.
        await client.events.expect('disconnected')
        const completions = await client.completions.take(2)
        const flushed = completions.find(({ id }) => id === 5n)
        assert.equal(flushed?.status, CompletionStatus.flushed)
      }
      assert.equal(client.queuePair.state, 'error')
      assert.deepEqual(server.region.bytes.slice(), before)
      if (opcode === SendOpcode.read) assert.deepEqual(client.bytes(0, 100), sinkBefore)
      close()
    })
  }

  test('a region that was closed is out of reach', async (bench) => {
    const { client, server, close } = await connectPair(bench, open)
    const request = on(server, client, SendOpcode.write, { local: 0, remote: 0, byteLength: 10 })
    server.region.close()
    client.send(request)
    if (client.device.transport === 'infiniband') {
      const [done] = await client.completions.take(1)
      assert.equal(done?.status, CompletionStatus.remoteAccessError)
    } else {
      await client.events.expect('disconnected')
    }
    close()
  })

  test('more Reads than the peer has resources for wait for one another', async (bench) => {
    const { client, server, close } = await connectPair(bench, {
      ...open,
      connect: { initiatorDepth: 2, responderResources: 2 },
      accept: { initiatorDepth: 2, responderResources: 2 },
    })
    const there = server.fill(0, 1600, 6)
    client.send(
      ...Array.from({ length: 16 }, (_, index) =>
        on(server, client, SendOpcode.read, { local: index * 100, remote: index * 100, byteLength: 100 }),
      ),
    )
    await client.completions.succeed(16)
    assert.deepEqual(client.bytes(0, 1600), there)
    close()
  })
}
