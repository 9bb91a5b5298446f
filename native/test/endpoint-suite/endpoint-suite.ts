/**
 * The endpoint suite: handshakes, refusals and teardown over any implementation of the interface. It runs on the
 * simulated device, and in the lab on the kernel's own.
 */
import assert from 'node:assert/strict'
import type { Polling } from '../../lib/endpoint/completion-loop.js'
import { connectEndpoint } from '../../lib/endpoint/connector.js'
import type { EndpointOptions } from '../../lib/endpoint/endpoint-session.js'
import type { Bench, DeviceSuiteOptions } from '../device-suite/bench.js'
import { checkNothingIsOpen } from '../device-suite/device-suite.js'
import { connectWithin } from './connect-within.js'
import { listenForMessengers, Messenger, messengerOf, messengerOptions, settled } from './messenger.js'

const POLLING: readonly Polling[] = ['event', 'adaptive', 'busy']

/** Declares the suite's tests with the runner's own `describe` and `it`. */
export function endpointSuite({ name, describe, it, open, rounds = 1 }: DeviceSuiteOptions): void {
  for (const polling of POLLING) {
    describe(`${name}: endpoints, polling ${polling}`, () => {
      const options = messengerOptions(polling)
      endpointTests(options, (title, body) =>
        it(title, async () => {
          for (let round = 0; round < rounds; round++) {
            const bench = await open()
            await bench.settle(body(bench))
            checkNothingIsOpen(bench)
          }
        }),
      )
    })
  }
}

type EndpointTest = (name: string, body: (bench: Bench) => Promise<void>) => void

function endpointTests(messenger: EndpointOptions, test: EndpointTest): void {
  const listen = ({ server, serverHost }: Bench, ...rest: [Parameters<typeof listenForMessengers>[3]?]) =>
    listenForMessengers(server, serverHost, messenger, ...rest)

  test('connect, talk both ways, and leave nothing behind', async (bench) => {
    const { listener, accept, address } = listen(bench)
    const [near, far] = await Promise.all([connectEndpoint(bench.client, address, messenger), accept()])
    const [client, server] = [messengerOf(near), messengerOf(far)]
    client.send('ping')
    assert.deepEqual(await server.messages(1), ['ping'])
    server.send('pong')
    assert.deepEqual(await client.messages(1), ['pong'])
    assert.equal(client.peerHello, 'acceptor')
    assert.equal(server.peerHello, 'connector')
    assert.equal(near.remoteAddress.port, address.port)
    near.close()
    await Promise.all([client.closed, server.closed])
    listener.close()
    assert.deepEqual(client.calls, [
      'hello',
      'onHello',
      'ready',
      'onReady',
      'onOpen',
      'onDrained',
      'onClosed',
    ])
    assert.deepEqual(server.calls.slice(0, 5), ['onHello', 'hello', 'onReady', 'ready', 'onOpen'])
    assert.deepEqual(server.calls.slice(5), ['onEnd', 'onDrained', 'onClosed'])
    assert.equal(server.end?.code, 'ERR_NETTS_RESET')
    assert.equal(client.end, undefined)
  })

  test('deliver what was acknowledged before the peer closed', async (bench) => {
    const { listener, accept, address } = listen(bench)
    const [near, far] = await Promise.all([connectEndpoint(bench.client, address, messenger), accept()])
    const [client, server] = [messengerOf(near), messengerOf(far)]
    client.send('last words')
    await client.acknowledged(1)
    near.close()
    await Promise.all([client.closed, server.closed])
    assert.deepEqual(server.received, ['last words'])
    listener.close()
  })

  test('many connect at once', async (bench) => {
    const { listener, accept, address } = listen(bench)
    const endpoints = await Promise.all(
      Array.from({ length: 8 }, () => [connectEndpoint(bench.client, address, messenger), accept()]).flat(),
    )
    for (const [index, endpoint] of endpoints.entries()) {
      if (endpoint.role === 'connector') messengerOf(endpoint).send(`${index}`)
    }
    const heard = await Promise.all(
      endpoints.filter(({ role }) => role === 'acceptor').map((far) => messengerOf(far).messages(1)),
    )
    assert.equal(new Set(heard.flat()).size, 8)
    for (const endpoint of endpoints) endpoint.close()
    await Promise.all(endpoints.map((endpoint) => messengerOf(endpoint).closed))
    listener.close()
  })

  test('connect again and again', async (bench) => {
    const { listener, accept, address } = listen(bench, {
      onHandshakeFailure: (error) => console.error('the server refused:', error),
    })
    for (let round = 0; round < 10; round++) {
      const [near, far] = await Promise.all([connectEndpoint(bench.client, address, messenger), accept()])
      messengerOf(near).send(`${round}`)
      assert.deepEqual(await messengerOf(far).messages(1), [`${round}`])
      far.close()
      await Promise.all([messengerOf(near).closed, messengerOf(far).closed])
    }
    listener.close()
  })

  test('a quiet connection is kept, since its peer answers', async (bench) => {
    const quiet = { ...messenger, keepAliveIntervalMs: 60, keepAliveTimeoutMs: 1000 }
    const { listener, accept, address } = listenForMessengers(bench.server, bench.serverHost, quiet)
    const [near, far] = await Promise.all([connectEndpoint(bench.client, address, quiet), accept()])
    // Longer than a question may go unanswered.
    await new Promise<void>((resolve) => bench.client.clock.setTimer(resolve, 2500))
    messengerOf(near).send('still here')
    assert.deepEqual(await messengerOf(far).messages(1), ['still here'])
    near.close()
    await Promise.all([messengerOf(near).closed, messengerOf(far).closed])
    listener.close()
  })

  test('nobody listens', async (bench) => {
    const { listener, address } = listen(bench)
    listener.close()
    await assert.rejects(connectEndpoint(bench.client, address, messenger), {
      code: 'ERR_NETTS_CONNECT_FAILED',
    })
    await settled(bench.client)
  })

  test('a connector chooses its own address, and the class of its traffic', async (bench) => {
    const { listener, accept, address } = listen(bench)
    // Both ends of a bench may be one machine, whose address is known then.
    const localAddress = bench.client === bench.server ? address.host : undefined
    const chosen = { ...messenger, localAddress, trafficClass: 104 }
    const [near, far] = await Promise.all([connectEndpoint(bench.client, address, chosen), accept()])
    if (localAddress !== undefined) assert.equal(near.localAddress.host, localAddress)
    near.close()
    await Promise.all([messengerOf(near).closed, messengerOf(far).closed])
    const elsewhere = { ...messenger, localAddress: '198.51.100.1' }
    await assert.rejects(connectEndpoint(bench.client, address, elsewhere), {
      code: 'ERR_NETTS_CONNECT_FAILED',
      message: /from 198\.51\.100\.1 failed/,
    })
    await assert.rejects(connectEndpoint(bench.client, address, { ...messenger, trafficClass: 256 }), {
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
    listener.close()
    await settled(bench.client)
  })

  test('a host that is not there runs into the deadline, or is known not to be', async (bench) => {
    const nowhere = { host: '198.51.100.1', port: 7471 }
    await assert.rejects(connectWithin(bench.client, nowhere, messenger, { timeoutMs: 1500 }), (error) =>
      ['ERR_NETTS_CONNECT_FAILED', 'ERR_NETTS_TIMEOUT'].includes((error as { code: string }).code),
    )
    await settled(bench.client)
  })

  test('an address that is not local cannot be listened at', async (bench) => {
    assert.throws(() => listenForMessengers(bench.server, '198.51.100.1', messenger), {
      code: 'ERR_NETTS_LISTEN_FAILED',
    })
  })

  test('another driver, or another version, is refused', async (bench) => {
    const { listener, failures, address } = listen(bench)
    const others = [
      { driver: 201, version: 1 },
      { driver: 200, version: 2 },
    ]
    for (const identity of others) {
      await assert.rejects(connectEndpoint(bench.client, address, { ...messenger, identity }), {
        code: 'ERR_NETTS_REJECTED',
        address,
      })
    }
    assert.equal(failures.length, 2)
    await settled(bench.client)
    listener.close()
  })

  test('several drivers listen at one address, and each gets whoever asks for it', async (bench) => {
    const other = { ...messenger, identity: { driver: 201, version: 1 } }
    const one = listen(bench)
    const { address } = one
    const two = listenForMessengers(bench.server, address, other)
    assert.deepEqual(two.address, address)
    const talk = async (options: EndpointOptions, { accept }: typeof one) => {
      const ends = await Promise.all([connectEndpoint(bench.client, address, options), accept()])
      const [client, server] = ends.map(messengerOf)
      client!.send('ping')
      assert.deepEqual(await server!.messages(1), ['ping'])
      ends[0].close()
      await Promise.all([client!.closed, server!.closed])
    }
    await talk(messenger, one)
    await talk(other, two)
    assert.throws(() => listenForMessengers(bench.server, address, other), {
      code: 'ERR_NETTS_LISTEN_FAILED',
      message: /the same driver listens there already/,
    })
    one.listener.close()
    one.listener.ref()
    await assert.rejects(connectEndpoint(bench.client, address, messenger), {
      code: 'ERR_NETTS_REJECTED',
      message: /the peer runs driver 200, not 201/,
    })
    assert.equal(two.failures.length, 1)
    await talk(other, two)
    two.listener.close()
    await settled(bench.client, bench.server)
    assert.equal(bench.server.counts.cmIds, 0)
    // The last one gave the address back.
    const again = listenForMessengers(bench.server, address, messenger)
    await talk(messenger, again)
    again.listener.close()
  })

  test('drivers that listen at one address agree on the class of their traffic', async (bench) => {
    const { listener, address } = listen(bench)
    const other = { ...messenger, identity: { driver: 201, version: 1 }, trafficClass: 8 }
    assert.throws(() => listenForMessengers(bench.server, address, other), {
      code: 'ERR_NETTS_LISTEN_FAILED',
      message: /another traffic class/,
    })
    listener.close()
  })

  test('a session that refuses the peer says why', async (bench) => {
    const { listener, address } = listen(bench)
    const unwelcome = class extends Messenger {
      override hello() {
        return new TextEncoder().encode('unwelcome')
      }
    }
    const options = {
      ...messenger,
      openSession: (endpoint: Messenger['endpoint']) => new unwelcome(endpoint),
    }
    await assert.rejects(connectEndpoint(bench.client, address, options), {
      code: 'ERR_NETTS_REJECTED',
      message: /I do not like you/,
    })
    listener.close()
    await settled(bench.client, bench.server)
  })

  test('a full backlog refuses, and says so', async (bench) => {
    const { listener, address } = listen(bench, { hasRoom: () => false })
    await assert.rejects(connectEndpoint(bench.client, address, messenger), {
      code: 'ERR_NETTS_REJECTED',
      message: /backlog/,
    })
    listener.close()
    await settled(bench.client)
  })

  test('an aborted connect leaves nothing behind, whenever it comes', async (bench) => {
    const { listener, address } = listen(bench)
    for (let delay = 0; delay < 8; delay++) {
      const controller = new AbortController()
      const abort = () => controller.abort()
      let turns = delay
      const wait = () => (turns-- > 0 ? bench.client.clock.setImmediate(wait) : abort())
      const attempt = connectWithin(bench.client, address, messenger, { signal: controller.signal })
      wait()
      await assert.rejects(attempt, { code: 'ERR_NETTS_ABORTED' }).catch(async (error) => {
        // It was faster than the abort.
        const near = await attempt.catch(() => {
          throw error
        })
        near.close()
      })
    }
    await settled(bench.client)
    listener.close()
    await settled(bench.server)
  })

  test('closing twice, and from within callbacks, closes once', async (bench) => {
    const { listener, accept, address } = listen(bench)
    const [near, far] = await Promise.all([connectEndpoint(bench.client, address, messenger), accept()])
    const server = messengerOf(far)
    server.onMessage = () => {
      far.close()
      far.close()
    }
    messengerOf(near).send('bye')
    await Promise.all([messengerOf(near).closed, server.closed])
    assert.deepEqual(
      server.calls.filter((call) => call === 'onClosed'),
      ['onClosed'],
    )
    near.close()
    listener.close()
  })
}
