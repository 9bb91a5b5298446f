/** Connecting to peers that do not answer as wished: a typed event in time, and the event loop runs on. */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { EventLog } from '../../test/device-suite/bench.js'
import { End, listen, resolve } from '../../test/device-suite/pair.js'
import { connectWithin } from '../../test/endpoint-suite/connect-within.js'
import { messengerOptions, settled } from '../../test/endpoint-suite/messenger.js'
import { cycles } from '../../test/lab/cycles.js'
import { labDevices } from '../../test/lab/devices.js'
import { kernelResources, settleResources, warmUp } from '../../test/lab/resources.js'
import { benchOn } from '../../test/lab/scenarios.js'
import { SendFlag, SendOpcode } from '../verbs/layout.js'

/** Counts how often the event loop comes round while something else is waited for. */
async function turnsDuring(wait: Promise<unknown>): Promise<number> {
  let turns = 0
  const timer = setInterval(() => turns++, 5)
  await wait
  clearInterval(timer)
  return turns
}

for (const device of labDevices()) {
  describe(`connecting on ${device.name}`, { timeout: 280_000 }, () => {
    before(() => warmUp(benchOn(device)))

    it('a host that stays silent leaves the event loop free, and closing gives up at once', async () => {
      const atFirst = kernelResources()
      const bench = benchOn(device)
      // On the same subnet, where packets leave into nothing.
      const silent = device.address.replace(/\d+$/, '77')
      const id = bench.client.createCmId()
      const events = new EventLog(id)
      id.resolveAddress({ destination: { host: silent, port: 7471 }, timeoutMs: 3000 })
      const first = await events.next()
      if (first.type === 'address-resolved') {
        id.resolveRoute(3000)
        await events.expect('route-resolved')
        const client = new End(bench.client, events)
        client.id.connect()
        const turns = await turnsDuring(new Promise((resolve) => setTimeout(resolve, 300)))
        assert(turns > 5, `${turns} turns of the event loop`)
        client.close()
      } else {
        assert.equal(first.type, 'address-error')
        id.close()
      }
      bench.client.close()
      assert.deepEqual(await settleResources(atFirst), atFirst)
    })

    it('an endpoint gives up on a silent host at its deadline, and soon everything is given back', async () => {
      const atFirst = kernelResources()
      const { client } = benchOn(device)
      const silent = { host: device.address.replace(/\d+$/, '77'), port: 7471 }
      const attempt = connectWithin(client, silent, messengerOptions('event'), { timeoutMs: 300 })
      await assert.rejects(attempt, { code: 'ERR_NETTS_TIMEOUT' })
      // Nothing here keeps the process alive meanwhile: the endpoint does until it is torn down.
      await settled(client)
      client.close()
      assert.deepEqual(await settleResources(atFirst), atFirst)
    })

    it('200 connections at once carry a message each', async () => {
      const atFirst = kernelResources()
      const bench = benchOn(device)
      const listener = listen(bench, 256)
      const { port } = listener.id.localAddress!
      const clients = await Promise.all(
        Array.from({ length: 200 }, async () => new End(bench.client, await resolve(bench, port))),
      )
      for (const [index, client] of clients.entries()) {
        client.id.connect({ privateData: Uint8Array.of(index) })
      }
      const pairs = []
      while (pairs.length < clients.length) {
        const request = await listener.expect('connect-request')
        const server = new End(bench.server, new EventLog(request.id))
        server.id.accept()
        pairs.push({ client: clients[request.privateData[0]!]!, server })
      }
      for (const { client, server } of pairs) {
        await client.events.expect('established')
        await server.events.expect('established')
      }
      for (const [index, { client, server }] of pairs.entries()) {
        server.receive({ entries: [{ region: server.region, byteLength: 64 }] })
        client.fill(0, 64, index)
        client.send({
          opcode: SendOpcode.send,
          flags: SendFlag.signalled,
          entries: [{ region: client.region, byteLength: 64 }],
        })
      }
      for (const { client, server } of pairs) {
        await server.completions.succeed(1)
        await client.completions.succeed(1)
        assert.deepEqual(server.bytes(0, 64), client.bytes(0, 64))
        client.close()
        server.close()
      }
      listener.id.close()
      bench.client.close()
      assert.deepEqual(await settleResources(atFirst), atFirst)
    })

    it('connecting, transferring and closing time and again leaves nothing behind', () => cycles(device, 30))

    it('resolving a host that is not there ends with an event', async () => {
      const bench = benchOn(device)
      const id = bench.client.createCmId()
      const events = new EventLog(id)
      try {
        id.resolveAddress({ destination: { host: '203.0.113.1', port: 1 }, timeoutMs: 500 })
        const event = await events.next()
        assert.equal(event.type, 'address-error')
      } catch (error) {
        // No route is known at once.
        assert.equal((error as { code?: string }).code, 'ERR_NETTS_VERBS')
      }
      id.close()
      assert.equal(bench.client.counts.cmIds, 0)
      await assert.rejects(resolve(bench, 0), { code: 'ERR_NETTS_INVALID_ARGUMENT' })
      bench.client.close()
    })
  })
}
