/** Send and receive: bytes, order, gather lists, inline data, immediates, and missing receives. */
import assert from 'node:assert/strict'
import { CompletionOpcode, CompletionStatus, SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import type { DeviceTest } from './bench.js'
import { connectPair, type End } from './pair.js'

const signalled = SendFlag.signalled

/** A receive into `byteLength` bytes of the region at `byteOffset`. */
function into(end: End, id: number, byteOffset: number, byteLength: number) {
  return { id: BigInt(id), entries: [{ region: end.region, byteOffset, byteLength }] }
}

/** A signalled Send of `byteLength` bytes of the region at `byteOffset`. */
function from(end: End, id: number, byteOffset: number, byteLength: number) {
  return {
    id: BigInt(id),
    opcode: SendOpcode.send,
    flags: signalled,
    entries: [{ region: end.region, byteOffset, byteLength }],
  }
}

export function sendReceiveTests(test: DeviceTest): void {
  test('delivers messages of every size byte for byte', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    for (const byteLength of [1, 2, 63, 1024, 4096, 4097, 65536]) {
      server.region.bytes.fill(0)
      server.receive(into(server, byteLength, 0, 65536))
      const sent = client.fill(0, byteLength, byteLength)
      client.send(from(client, 7, 0, byteLength))
      const [received] = await server.completions.succeed(1)
      assert.equal(received?.id, BigInt(byteLength))
      assert.equal(received?.opcode, CompletionOpcode.receive)
      assert.equal(received?.byteLength, byteLength)
      assert.equal(received?.queuePairNumber, server.queuePair.number)
      assert.deepEqual(server.bytes(0, byteLength), sent)
      assert.equal(server.bytes(byteLength, 1)[0] ?? 0, 0)
      const [sendDone] = await client.completions.succeed(1)
      assert.equal(sendDone?.id, 7n)
      assert.equal(sendDone?.opcode, CompletionOpcode.send)
    }
    close()
  })

  test('keeps the order of messages and of their completions', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive(...Array.from({ length: 32 }, (_, id) => into(server, id, id * 64, 64)))
    client.region.bytes.forEach((_, at, bytes) => {
      bytes[at] = at >>> 6
    })
    client.send(...Array.from({ length: 16 }, (_, id) => from(client, id, id * 64, 64)))
    client.send(...Array.from({ length: 16 }, (_, id) => from(client, 16 + id, (16 + id) * 64, 64)))
    const order = Array.from({ length: 32 }, (_, id) => BigInt(id))
    assert.deepEqual(
      (await server.completions.succeed(32)).map(({ id }) => id),
      order,
    )
    assert.deepEqual(
      (await client.completions.succeed(32)).map(({ id }) => id),
      order,
    )
    for (let id = 0; id < 32; id++) assert.equal(server.region.bytes[id * 64 + 63], id)
    close()
  })

  test('sends both ways at once', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    client.receive(into(client, 1, 1000, 8))
    server.receive(into(server, 1, 1000, 8))
    const fromClient = client.fill(0, 8, 1)
    const fromServer = server.fill(0, 8, 2)
    client.send(from(client, 2, 0, 8))
    await server.completions.succeed(1)
    server.send(from(server, 2, 0, 8))
    await client.completions.succeed(2)
    await server.completions.succeed(1)
    assert.deepEqual(server.bytes(1000, 8), fromClient)
    assert.deepEqual(client.bytes(1000, 8), fromServer)
    close()
  })

  test('gathers several ranges into one message, and scatters it', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    const head = client.fill(100, 5, 1)
    const tail = client.fill(9000, 11, 2)
    server.receive({
      entries: [
        { region: server.region, byteOffset: 0, byteLength: 3 },
        { region: server.region, byteOffset: 500, byteLength: 100 },
      ],
    })
    client.send({
      opcode: SendOpcode.send,
      flags: signalled,
      entries: [
        { region: client.region, byteOffset: 100, byteLength: 5 },
        { region: client.region, byteOffset: 9000, byteLength: 11 },
      ],
    })
    const [received] = await server.completions.succeed(1)
    assert.equal(received?.byteLength, 16)
    const whole = new Uint8Array([...head, ...tail])
    assert.deepEqual(new Uint8Array([...server.bytes(0, 3), ...server.bytes(500, 13)]), whole)
    await client.completions.succeed(1)
    close()
  })

  test('delivers empty messages', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive({ id: 5n }, into(server, 6, 0, 10))
    client.send({ opcode: SendOpcode.send }, { opcode: SendOpcode.send, flags: signalled })
    const received = await server.completions.succeed(2)
    assert.deepEqual(
      received.map(({ id, byteLength }) => [id, byteLength]),
      [
        [5n, 0],
        [6n, 0],
      ],
    )
    await client.completions.succeed(1)
    close()
  })

  test('takes inline data while posting', async (bench) => {
    const { client, server, close } = await connectPair(bench, {
      client: { queuePair: { maxInlineBytes: 64 } },
    })
    assert(client.queuePair.maxInlineBytes >= 64)
    server.receive(into(server, 1, 0, 64))
    const sent = client.fill(0, 64, 3)
    client.send({ ...from(client, 1, 0, 64), flags: signalled | SendFlag.inline })
    client.region.bytes.fill(0)
    await server.completions.succeed(1)
    assert.deepEqual(server.bytes(0, 64), sent)
    await client.completions.succeed(1)
    close()
  })

  test('completes silently unless signalled', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive(...Array.from({ length: 4 }, (_, id) => into(server, id, id * 8, 8)))
    const silent = { ...from(client, 1, 0, 8), flags: 0 }
    client.send(silent, silent, silent, from(client, 4, 0, 8))
    await server.completions.succeed(4)
    const [only] = await client.completions.succeed(1)
    assert.equal(only?.id, 4n)
    assert.equal(client.completions.poll().length, 0)
    close()
  })

  test('carries 64-bit work request ids', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive({ ...into(server, 0, 0, 8), id: 0xffff_fffe_8000_0001n })
    client.send({ ...from(client, 0, 0, 8), id: 0x8000_0000_ffff_ffffn })
    assert.equal((await server.completions.succeed(1))[0]?.id, 0xffff_fffe_8000_0001n)
    assert.equal((await client.completions.succeed(1))[0]?.id, 0x8000_0000_ffff_ffffn)
    close()
  })

  test('carries immediate data where the device has it, and refuses it where not', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    const request = { ...from(client, 1, 0, 8), opcode: SendOpcode.sendWithImmediate, immediate: 0xfedcba98 }
    server.receive(into(server, 1, 0, 8))
    if (client.device.capabilities.immediateData) {
      client.send(request)
      const [received] = await server.completions.succeed(1)
      assert.equal(received?.immediate, 0xfedcba98)
      assert.equal(received?.opcode, CompletionOpcode.receive)
      await client.completions.succeed(1)
    } else {
      assert.throws(() => client.send(request), { code: 'ERR_NETTS_UNSUPPORTED' })
    }
    close()
  })

  test('a missing receive makes the sender wait, or ends the connection on iWARP', async (bench) => {
    const { client, server, close } = await connectPair(bench, {
      // However long this end takes to post the receive.
      connect: { rnrRetryCount: 7 },
      accept: { rnrRetryCount: 7 },
    })
    client.fill(0, 8, 1)
    if (client.device.capabilities.receiverNotReady) {
      server.queuePair.setMinRnrTimer(12)
      client.send(from(client, 1, 0, 8))
      await new Promise<void>((resolve) => client.verbs.clock.setTimer(resolve, 1))
      server.receive(into(server, 9, 0, 8))
      await server.completions.succeed(1)
      await client.completions.succeed(1)
    } else {
      client.send(from(client, 1, 0, 8))
      await Promise.all([server.events.expect('disconnected'), client.events.expect('disconnected')])
      assert.equal(server.queuePair.state, 'error')
    }
    close()
  })

  test('gives up on a receive that never comes when its retries are finite', async (bench) => {
    const { client, server, close } = await connectPair(bench, {
      connect: { rnrRetryCount: 2 },
      accept: { rnrRetryCount: 2 },
    })
    if (client.device.capabilities.receiverNotReady) {
      server.queuePair.setMinRnrTimer(1)
      client.send(from(client, 1, 0, 8), from(client, 2, 0, 8))
      const [first, second] = await client.completions.take(2)
      assert.equal(first?.id, 1n)
      assert.equal(first?.status, CompletionStatus.rnrRetryExceeded)
      assert.equal(second?.id, 2n)
      assert.equal(second?.status, CompletionStatus.flushed)
      assert.equal(client.queuePair.state, 'error')
    }
    close()
  })

  test('a message that exceeds its receive fails at both ends', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive(into(server, 1, 0, 8), into(server, 2, 100, 8))
    client.send(from(client, 3, 0, 9))
    const received = await server.completions.take(2)
    assert.equal(received[0]?.id, 1n)
    assert.notEqual(received[0]?.status, CompletionStatus.success)
    assert.equal(received[1]?.id, 2n)
    assert.equal(received[1]?.status, CompletionStatus.flushed)
    const [sent] = await client.completions.take(1)
    // On iWARP a Send is complete once TCP has it.
    if (client.device.transport === 'infiniband') {
      // The specification says invalid request; rxe answers with an operational error.
      const { remoteInvalidRequestError, remoteOperationError } = CompletionStatus
      assert(sent?.status === remoteInvalidRequestError || sent?.status === remoteOperationError)
      assert.equal(client.queuePair.state, 'error')
    }
    assert.equal(server.queuePair.state, 'error')
    close()
  })
}
