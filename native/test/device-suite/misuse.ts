/** Misuse is refused before anything happens, by its code; closing is safe in any order. */
import assert from 'node:assert/strict'
import { AccessFlag, ENTRY, SEND, SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import { writeReceive, writeSend } from '../../lib/verbs/records.js'
import type { DeviceTest } from './bench.js'
import { connectPair, End, listen, resolve } from './pair.js'

const invalid = { code: 'ERR_NETTS_INVALID_ARGUMENT' }
const misplaced = { code: 'ERR_NETTS_INVALID_STATE' }

export function misuseTests(test: DeviceTest): void {
  test('malformed records are refused, and nothing of their batch is posted', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    const { queuePair, region } = client
    const whole = { region, byteOffset: 0, byteLength: 8 }
    const good = { opcode: SendOpcode.send, flags: SendFlag.signalled, entries: [whole] }
    const spoil: readonly [string, (words: Uint32Array, at: number) => void][] = [
      ['opcode', (words, at) => words.fill(99, at + SEND.opcode, at + SEND.opcode + 1)],
      ['flags', (words, at) => words.fill(0x100, at + SEND.flags, at + SEND.flags + 1)],
      ['entry count', (words, at) => words.fill(3, at + SEND.entryCount, at + SEND.entryCount + 1)],
      [
        'region',
        (words, at) => {
          words[at + SEND.headerWords + ENTRY.regionId] = 0xffff_fff0
        },
      ],
      [
        'offset',
        (words, at) => {
          words[at + SEND.headerWords + ENTRY.byteOffset] = region.byteLength - 7
        },
      ],
      [
        'length',
        (words, at) => {
          words[at + SEND.headerWords + ENTRY.byteLength] = 0xffff_ffff
        },
      ],
    ]
    for (const [what, change] of spoil) {
      writeSend(queuePair, 0, good)
      writeSend(queuePair, 1, good)
      change(queuePair.sendRequests, queuePair.sendRecordWords)
      assert.throws(() => queuePair.postSend(2), invalid, what)
    }
    writeReceive(queuePair, 0, { entries: [{ ...whole, byteLength: region.byteLength + 1 }] })
    assert.throws(() => queuePair.postReceive(1), invalid)
    assert.throws(() => queuePair.postSend(queuePair.maxSendWorkRequests + 1000), invalid)
    assert.throws(() => queuePair.postSend(-1), invalid)
    assert.throws(() => queuePair.postSend(1, 0.5), invalid)
    assert.equal(queuePair.postSend(0), 0)
    server.receive({ entries: [{ region: server.region, byteLength: 8 }] })
    client.send(good)
    await client.completions.succeed(1)
    await server.completions.succeed(1)
    close()
  })

  test('sending before the connection is established is refused', async (bench) => {
    const listener = listen(bench)
    const client = new End(bench.client, await resolve(bench, listener.id.localAddress?.port ?? 0))
    writeSend(client.queuePair, 0, { opcode: SendOpcode.send })
    assert.throws(() => client.queuePair.postSend(1), misplaced)
    assert.equal(client.queuePair.state, 'init')
    client.close()
    listener.id.close()
  })

  test('calls out of turn are refused', async (bench) => {
    const id = bench.client.createCmId()
    assert.throws(() => id.connect(), misplaced)
    assert.throws(() => id.accept(), misplaced)
    assert.throws(() => id.resolveRoute(1000), misplaced)
    id.close()
    assert.throws(() => id.resolveRoute(1000), misplaced)
    id.close()
  })

  test('closed objects refuse calls, and close again in peace', async (bench) => {
    const { client, close } = await connectPair(bench)
    close()
    close()
    assert.throws(() => client.queuePair.postReceive(0), misplaced)
    assert.throws(() => client.completions.queue.poll(), misplaced)
    assert.throws(() => client.protectionDomain.registerRegion({ byteLength: 1 }), misplaced)
    assert.equal(client.region.bytes.byteLength, client.region.byteLength)
  })

  test('closing in the wrong order is safe', async (bench) => {
    const { client, server } = await connectPair(bench)
    client.receive({ entries: [{ region: client.region, byteLength: 8 }] })
    client.protectionDomain.close()
    client.channel.close()
    client.completions.queue.close()
    client.region.close()
    client.id.close()
    client.queuePair.close()
    server.close()
  })

  test('options out of range are refused', async (bench) => {
    const { client, close } = await connectPair(bench)
    const { protectionDomain, channel, device } = client
    assert.throws(() => protectionDomain.registerRegion({ byteLength: 0 }), invalid)
    assert.throws(() => protectionDomain.registerRegion({ byteLength: 1.5 }), invalid)
    for (const byteLength of [undefined, null, '4096'] as never[]) {
      assert.throws(() => protectionDomain.registerRegion({ byteLength }), invalid)
    }
    assert.throws(() => protectionDomain.registerRegion({ byteLength: 1, access: 4096 }), invalid)
    assert.throws(
      () => protectionDomain.registerRegion({ byteLength: 1, access: AccessFlag.remoteWrite }),
      invalid,
    )
    assert.throws(() => channel.createCompletionQueue({ maxCompletions: 0 }), invalid)
    assert.throws(
      () => channel.createCompletionQueue({ maxCompletions: device.attributes.maxCompletions + 1 }),
      invalid,
    )
    assert.throws(() => client.queuePair.setMinRnrTimer(32), invalid)
    const { completionVectors } = device.attributes
    assert(completionVectors >= 1)
    device.createCompletionChannel({ vector: completionVectors - 1 }).close()
    assert.throws(() => device.createCompletionChannel({ vector: completionVectors }), invalid)
    assert.throws(() => client.id.setTrafficClass(256), invalid)
    const fresh = await resolve(bench, 1)
    for (const none of [{ maxSendEntries: 0 }, { maxReceiveEntries: 0 }]) {
      assert.throws(
        () =>
          fresh.id.createQueuePair({
            protectionDomain,
            sendCompletionQueue: client.completions.queue,
            maxSendWorkRequests: 1,
            maxReceiveWorkRequests: 1,
            ...none,
          }),
        invalid,
      )
    }
    fresh.id.close()
    if (device.attributes.maxSharedReceiveQueues > 0) {
      assert.throws(
        () => protectionDomain.createSharedReceiveQueue({ maxWorkRequests: 1, maxEntries: 0 }),
        invalid,
      )
    }
    assert.throws(
      () =>
        client.id.createQueuePair({
          protectionDomain,
          sendCompletionQueue: client.completions.queue,
          maxSendWorkRequests: 1,
        }),
      misplaced,
    )
    close()
  })

  test('a region is whole pages, zero-filled, and counted as pinned', async (bench) => {
    const [device] = bench.client.devices()
    assert(device)
    const protectionDomain = device.allocateProtectionDomain()
    const before = bench.client.pinnedBytes
    const region = protectionDomain.registerRegion({ byteLength: 5000 })
    assert.equal(region.byteLength, 8192)
    assert.equal(region.bytes.byteLength, 8192)
    assert(region.bytes.every((byte) => byte === 0))
    assert.equal(region.bytes, region.bytes)
    assert.equal(bench.client.pinnedBytes, before + 8192)
    const large = await protectionDomain.registerRegionAsync({ byteLength: 1 << 20 })
    assert.notEqual(large.id, region.id)
    large.close()
    region.close()
    assert.equal(bench.client.pinnedBytes, before)
    protectionDomain.close()
  })
}
