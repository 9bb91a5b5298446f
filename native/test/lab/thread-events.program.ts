/**
 * Asynchronous events of the loopback device reach the thread whose object they name, and no other: a worker breaks
 * queue pairs of its own, and the main thread hears nothing of it.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { LOOPBACK_ADDRESS } from '@netts/loopback'
import { openVerbs } from '../../lib/addon/open-verbs.js'
import type { DeviceEvent } from '../../lib/verbs/device.js'
import { SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import type { Bench } from '../device-suite/bench.js'
import { connectPair, type Pair } from '../device-suite/pair.js'

const ROUNDS = 20
/** Node.js 20 does not hand a TypeScript loader of the main thread on to workers. */
const LOAD = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(import.meta.url)})))`

const verbs = openVerbs()
const bench: Bench = {
  client: verbs,
  server: verbs,
  serverHost: LOOPBACK_ADDRESS,
  settle: (promise) => promise,
}
const device = verbs.devices()[0]!

/** Posts a Write that the server's region does not allow. @returns what the device says of it */
function breakQueuePair({ client, server }: Pair): Promise<DeviceEvent> {
  return new Promise((resolve) => {
    device.onEvent = resolve
    client.send({
      opcode: SendOpcode.write,
      flags: SendFlag.signalled,
      entries: [{ region: client.region, byteLength: 8 }],
      remoteAddress: server.region.remoteAddress,
      remoteKey: server.region.remoteKey,
    })
  })
}

/** As often as asked. Each event names the queue pair that refused the Write. */
async function breakSome(rounds: number): Promise<void> {
  // Nothing of a device keeps the thread alive.
  const alive = setInterval(() => {}, 1000)
  for (let round = 0; round < rounds; round++) {
    const pair = await connectPair(bench)
    const { queuePair, type } = await breakQueuePair(pair)
    assert.equal(type, 'qp-access-error')
    assert.equal(queuePair, pair.server.queuePair)
    pair.close()
  }
  clearInterval(alive)
}

if (isMainThread) {
  const seen: string[] = []
  device.onEvent = ({ name }) => seen.push(name)
  const worker = new Worker(LOAD, { eval: true })
  const [heard] = (await once(worker, 'message')) as [number]
  await once(worker, 'exit')
  assert.deepEqual(seen, [])
  // Its own it does hear.
  await breakSome(1)
  console.log(`${heard} heard by whom they concern, ${seen.length} by others`)
} else {
  await breakSome(ROUNDS)
  parentPort!.postMessage(ROUNDS)
}
verbs.close()
