/** What a device says of its addresses and of a queue pair. */
import assert from 'node:assert/strict'
import type { DeviceTest } from './bench.js'
import { connectPair } from './pair.js'

export function diagnosisTests(test: DeviceTest): void {
  test('the GID table has addresses, each of a port of the device', async (bench) => {
    const { client, close } = await connectPair(bench)
    const { device } = client
    const gids = device.gids()
    assert(gids.length > 0)
    const ports = new Set(device.ports().map(({ number }) => number))
    for (const { portNumber, index, address } of gids) {
      assert(ports.has(portNumber))
      assert(index >= 0)
      assert.match(address, /^[0-9a-f:.]+$/)
      assert.notEqual(address, '::')
    }
    const places = gids.map(({ portNumber, index }) => `${portNumber}/${index}`)
    assert.equal(new Set(places).size, places.length)
    close()
  })

  test('a queue pair tells what was agreed on', async (bench) => {
    const reads = { initiatorDepth: 2, responderResources: 3 }
    const { client, server, close } = await connectPair(bench, {
      connect: reads,
      accept: { initiatorDepth: 3, responderResources: 2 },
      beforeConnect: ({ queuePair }) => assert.equal(queuePair.attributes().state, 'init'),
    })
    const attributes = client.queuePair.attributes()
    assert.equal(attributes.state, 'ready-to-send')
    if (client.device.transport === 'infiniband') {
      assert.equal(attributes.initiatorDepth, 2)
      assert.equal(attributes.portNumber, 1)
      assert(attributes.pathMtuBytes >= 256)
      const { destinationQueuePairNumber } = attributes
      // The loopback provider does not know its peer's number.
      if (destinationQueuePairNumber !== 0) {
        assert.equal(destinationQueuePairNumber, server.queuePair.number)
      }
    }
    client.queuePair.moveToError()
    assert.equal(client.queuePair.attributes().state, 'error')
    close()
  })
}
