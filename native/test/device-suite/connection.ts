/** The connection manager: handshakes, private data, rejection, disconnection. */
import assert from 'node:assert/strict'
import { PRIVATE_DATA_BYTES } from '../../lib/verbs/cm.js'
import { CompletionStatus, SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import { type Bench, type DeviceTest, describeEvent, EventLog } from './bench.js'
import { connectPair, End, listen, resolve } from './pair.js'

/** A port where nobody listens. */
function closedPort(bench: Bench): number {
  const listener = listen(bench)
  const { port } = listener.id.localAddress ?? { port: 0 }
  listener.id.close()
  return port
}

export function connectionTests(test: DeviceTest): void {
  test('connects, and both ends know the addresses', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    assert.equal(client.id.remoteAddress?.host, bench.serverHost)
    assert.equal(server.id.localAddress?.host, bench.serverHost)
    assert.equal(server.id.localAddress?.port, client.id.remoteAddress?.port)
    assert.equal(server.id.remoteAddress?.host, client.id.localAddress?.host)
    assert.equal(client.queuePair.state, 'ready-to-send')
    assert.equal(server.queuePair.state, 'ready-to-send')
    assert(client.verbs.devices().includes(client.device))
    close()
  })

  test('carries private data both ways, padded to no less than its length', async (bench) => {
    const request = Uint8Array.from({ length: PRIVATE_DATA_BYTES.connect }, (_, at) => at + 1)
    const reply = Uint8Array.from({ length: PRIVATE_DATA_BYTES.accept }, (_, at) => 255 - at)
    const pair = await connectPair(bench, {
      connect: { privateData: request },
      accept: { privateData: reply },
    })
    assert.deepEqual(pair.requestData.slice(0, request.length), request)
    assert.deepEqual(pair.replyData.slice(0, reply.length), reply)
    pair.close()
    const short = await connectPair(bench, { connect: { privateData: request.slice(0, 5) } })
    assert.deepEqual(short.requestData.slice(0, 5), request.slice(0, 5))
    assert(short.requestData.slice(5).every((byte) => byte === 0))
    short.close()
  })

  test('refuses private data that does not fit, before anything happens', async (bench) => {
    const listener = listen(bench)
    const client = new End(bench.client, await resolve(bench, listener.id.localAddress?.port ?? 0))
    assert.throws(() => client.id.connect({ privateData: new Uint8Array(PRIVATE_DATA_BYTES.connect + 1) }), {
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
    client.close()
    listener.id.close()
  })

  test('a port where nobody listens refuses', async (bench) => {
    const client = new End(bench.client, await resolve(bench, closedPort(bench)))
    client.id.connect()
    const event = await client.events.next()
    if (event.type === 'rejected') assert.equal(event.reason, 'nobody-listening')
    else {
      assert.equal(event.type, 'connect-error', describeEvent(event))
      assert.equal('status' in event && event.status, 'ECONNREFUSED')
    }
    client.close()
  })

  test('a rejection carries its reason', async (bench) => {
    const listener = listen(bench)
    const client = new End(bench.client, await resolve(bench, listener.id.localAddress?.port ?? 0))
    client.id.connect()
    const request = await listener.expect('connect-request')
    const reason = new TextEncoder().encode('not today')
    request.id.reject(reason)
    request.id.close()
    const rejected = await client.events.expect('rejected')
    assert.equal(rejected.reason, 'listener')
    assert.deepEqual(rejected.privateData.slice(0, reason.length), reason)
    assert.notEqual(client.queuePair.state, 'ready-to-send')
    client.close()
    listener.id.close()
  })

  test('closing a request without an answer refuses it', async (bench) => {
    const listener = listen(bench)
    const client = new End(bench.client, await resolve(bench, listener.id.localAddress?.port ?? 0))
    client.id.connect()
    const request = await listener.expect('connect-request')
    request.id.close()
    const event = await client.events.next()
    assert(['rejected', 'connect-error', 'unreachable'].includes(event.type), describeEvent(event))
    client.close()
    listener.id.close()
  })

  test('a disconnect reaches the peer, and flushes what is outstanding', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    client.receive({ id: 1n }, { id: 2n })
    server.receive({ id: 3n })
    client.id.disconnect()
    assert.equal(client.queuePair.state, 'error')
    const flushed = await client.completions.take(2)
    assert.deepEqual(
      flushed.map(({ id, status }) => [id, status]),
      [
        [1n, CompletionStatus.flushed],
        [2n, CompletionStatus.flushed],
      ],
    )
    await server.events.expect('disconnected')
    server.id.disconnect()
    const [last] = await server.completions.take(1)
    assert.equal(last?.status, CompletionStatus.flushed)
    await client.events.expect('disconnected')
    client.id.disconnect()
    close()
  })

  test('a closed id disconnects its peer', async (bench) => {
    const { client, server } = await connectPair(bench)
    client.close()
    await server.events.expect('disconnected')
    server.close()
  })

  test('what was acknowledged before a disconnect is there after it', async (bench) => {
    const { client, server, close } = await connectPair(bench)
    server.receive({ id: 1n, entries: [{ region: server.region, byteLength: 100 }] })
    const sent = client.fill(0, 100, 4)
    client.send({
      opcode: SendOpcode.send,
      flags: SendFlag.signalled,
      entries: [{ region: client.region, byteLength: 100 }],
    })
    await client.completions.succeed(1)
    client.id.disconnect()
    await server.events.expect('disconnected')
    const [received] = await server.completions.succeed(1)
    assert.equal(received?.byteLength, 100)
    assert.deepEqual(server.bytes(0, 100), sent)
    close()
  })

  test('posts made in the error state are flushed', async (bench) => {
    const { client, close } = await connectPair(bench)
    client.queuePair.moveToError()
    client.queuePair.moveToError()
    client.receive({ id: 1n })
    client.send({ id: 2n, opcode: SendOpcode.send, flags: SendFlag.signalled })
    // Soft-RoCE does not look at receives that come in the error state until it is told again.
    client.queuePair.moveToError()
    const flushed = await client.completions.take(2)
    assert.deepEqual(
      new Set(flushed.map(({ id, status }) => `${id} ${status}`)),
      new Set([`1 ${CompletionStatus.flushed}`, `2 ${CompletionStatus.flushed}`]),
    )
    close()
  })

  test('one listener serves many connections', async (bench) => {
    const listener = listen(bench, 64)
    const pairs = []
    for (let index = 0; index < 20; index++) pairs.push(await connectPair(bench, {}, listener))
    for (const [index, { client, server }] of pairs.entries()) {
      server.receive({ entries: [{ region: server.region, byteLength: 8 }] })
      client.fill(0, 8, index)
      client.send({
        opcode: SendOpcode.send,
        flags: SendFlag.signalled,
        entries: [{ region: client.region, byteLength: 8 }],
      })
    }
    for (const { client, server, close } of pairs) {
      await server.completions.succeed(1)
      await client.completions.succeed(1)
      assert.deepEqual(server.bytes(0, 8), client.bytes(0, 8))
      close()
    }
    listener.id.close()
  })

  test('an id can be closed at every step of connecting', async (bench) => {
    const listener = listen(bench)
    const { port } = listener.id.localAddress ?? { port: 0 }
    bench.client.createCmId().close()
    const resolving = bench.client.createCmId()
    resolving.resolveAddress({ destination: { host: bench.serverHost, port }, timeoutMs: 1000 })
    resolving.close()
    const resolved = await resolve(bench, port)
    resolved.id.close()
    const connecting = new End(bench.client, await resolve(bench, port))
    connecting.id.connect()
    connecting.close()
    const { close } = await connectAfterLeftovers(bench, listener)
    close()
    listener.id.close()
  })
}

/** Connects over a listener that may still hold requests of clients which are gone. */
async function connectAfterLeftovers(bench: Bench, listener: EventLog) {
  const client = new End(bench.client, await resolve(bench, listener.id.localAddress?.port ?? 0))
  client.id.connect({ privateData: new Uint8Array([42]) })
  for (;;) {
    const request = await listener.expect('connect-request')
    if (request.privateData[0] !== 42) {
      request.id.close()
      continue
    }
    const server = new End(bench.server, new EventLog(request.id))
    server.id.accept()
    await client.events.expect('established')
    await server.events.expect('established')
    return {
      close() {
        client.close()
        server.close()
      },
    }
  }
}
