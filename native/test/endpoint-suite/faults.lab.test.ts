/** Faults that stay where they belong, on the kernel's own devices: see `lib/endpoint/endpoint.test.ts` for more. */
import assert from 'node:assert/strict'
import dns from 'node:dns/promises'
import { once } from 'node:events'
import { describe, it, mock } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { connectEndpoint } from '../../lib/endpoint/connector.js'
import type { Endpoint } from '../../lib/endpoint/endpoint-session.js'
import type { DeviceEvent } from '../../lib/verbs/device.js'
import { AccessFlag, SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import { writeReceive } from '../../lib/verbs/records.js'
import { connectPair } from '../device-suite/pair.js'
import { type LabDevice, labDevices } from '../lab/devices.js'
import { kernelResources, settleResources, warmUp } from '../lab/resources.js'
import { benchOn } from '../lab/scenarios.js'
import { connectWithin } from './connect-within.js'
import { listenForMessengers, messengerOf, messengerOptions } from './messenger.js'

const BLOCK_MS = 1500
const BLOCKS = 3

if (isMainThread) for (const device of labDevices()) declareTests(device)
else parentPort!.postMessage(await breakThings(workerData as LabDevice))

/** What this thread's own objects bring about: a shared receive queue at its limit, and a Write with a wrong key. */
async function breakThings(labDevice: LabDevice): Promise<readonly string[]> {
  const bench = benchOn(labDevice)
  const device = bench.server.devices().find(({ name }) => name === labDevice.name)!
  const seen: DeviceEvent[] = []
  const { onEvent } = device
  device.onEvent = (event) => {
    seen.push(event)
    onEvent?.(event)
  }
  const access = AccessFlag.localWrite | AccessFlag.remoteWrite
  const protectionDomain = device.allocateProtectionDomain()
  const sharedReceiveQueue = protectionDomain.createSharedReceiveQueue({ maxWorkRequests: 8 })
  for (let slot = 0; slot < 4; slot++) writeReceive(sharedReceiveQueue, slot, {})
  sharedReceiveQueue.postReceive(4)
  sharedReceiveQueue.setLimit(3)
  const own = await connectPair(bench, {
    server: { access, protectionDomain, queuePair: { sharedReceiveQueue } },
  })
  const send = { opcode: SendOpcode.send, flags: SendFlag.signalled }
  own.client.send(send, send)
  await own.server.completions.succeed(2)
  while (!seen.some(({ type }) => type === 'srq-limit-reached')) await sleep(10)
  own.client.send({
    ...send,
    opcode: SendOpcode.write,
    entries: [{ region: own.client.region, byteLength: 8 }],
    remoteAddress: own.server.region.remoteAddress,
    remoteKey: 1,
  })
  while (own.client.queuePair.state !== 'error') {
    own.client.completions.poll()
    await sleep(10)
  }
  own.close()
  sharedReceiveQueue.close()
  protectionDomain.close()
  await sleep(100)
  device.onEvent = onEvent
  return seen.map(({ name }) => name)
}

/** Both still carry messages; then they are closed. */
async function checkAlive(near: Endpoint, far: Endpoint): Promise<void> {
  messengerOf(near).send('not my business')
  assert.deepEqual(await messengerOf(far).messages(1), ['not my business'])
  near.close()
  await Promise.all([messengerOf(near).closed, messengerOf(far).closed])
}

function declareTests(device: LabDevice): void {
  describe(`faults on ${device.name}`, { timeout: 120_000 }, () => {
    const connect = async (options = messengerOptions('event')) => {
      const bench = benchOn(device)
      const { listener, accept, address } = listenForMessengers(bench.server, bench.serverHost, options)
      const [near, far] = await Promise.all([connectEndpoint(bench.client, address, options), accept()])
      return { bench, listener, near, far }
    }

    it("what happens to a program's own objects ends no other connection", async () => {
      const { bench, listener, near, far } = await connect()
      console.log(`${device.name}: the program saw ${await breakThings(device)}`)
      await checkAlive(near, far)
      listener.close()
      bench.client.close()
    })

    it('what happens in a worker ends no connection of another thread, which hears nothing of it', async () => {
      const { bench, listener, near, far } = await connect()
      const { onEvent } = near.device
      const heard: string[] = []
      near.device.onEvent = (event) => {
        heard.push(event.name)
        onEvent?.(event)
      }
      const worker = new Worker(process.argv[1]!, { workerData: device })
      const [seen] = (await once(worker, 'message')) as [string[]]
      await worker.terminate()
      assert(seen.includes('IBV_EVENT_SRQ_LIMIT_REACHED'))
      assert.deepEqual(heard, [])
      await checkAlive(near, far)
      listener.close()
      bench.client.close()
    })

    it('a program that blocks loses no peer', async () => {
      const options = {
        ...messengerOptions('event'),
        keepAliveIntervalMs: 100,
        keepAliveTimeoutMs: BLOCK_MS - 500,
      }
      const { bench, listener, near, far } = await connect(options)
      let blocked = 0
      for (const { queuePair } of [near, far]) {
        const postSend = queuePair.postSend.bind(queuePair)
        queuePair.postSend = (...range) => {
          const posted = postSend(...range)
          // The question was posted: longer than it may go unanswered, while the answer comes in.
          for (const endMs = performance.now() + BLOCK_MS; blocked < BLOCKS && performance.now() < endMs; );
          blocked++
          return posted
        }
      }
      while (blocked < BLOCKS) await sleep(100)
      await sleep(BLOCK_MS)
      await checkAlive(near, far)
      listener.close()
      bench.client.close()
    })

    it('a silent address behind a name is no obstacle', async () => {
      await warmUp(benchOn(device))
      const atFirst = kernelResources()
      const bench = benchOn(device)
      const options = messengerOptions('event')
      const { listener, accept, address } = listenForMessengers(bench.server, bench.serverHost, options)
      // On the same subnet, where packets leave into nothing.
      const silent = device.address.replace(/\d+$/, '77')
      mock.method(dns, 'lookup', async () => [
        { address: silent, family: 4 },
        { address: device.address, family: 4 },
      ])
      const named = { host: 'server.example', port: address.port }
      const connecting = connectWithin(bench.client, named, options, { timeoutMs: 30_000 })
      const [near, far] = await Promise.all([connecting, accept()])
      mock.restoreAll()
      assert.equal(near.remoteAddress.host, device.address)
      await checkAlive(near, far)
      listener.close()
      // The other attempt is given up by now, or soon.
      while (bench.client.counts.queuePairs > 0) await sleep(50)
      bench.client.close()
      assert.deepEqual(await settleResources(atFirst), atFirst)
    })
  })
}
