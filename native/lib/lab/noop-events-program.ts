/**
 * Asynchronous events of the device that does nothing reach the thread whose object they name, and no other: a worker
 * breaks queue pairs of its own, and the main thread hears nothing of it.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { openVerbs } from '../addon/open-verbs.js'
import { EventLog } from '../device-suite/bench.js'
import { End } from '../device-suite/pair.js'
import type { DeviceEvent } from '../verbs/device.js'
import { SendOpcode } from '../verbs/layout.js'

/** `kWrongKey` of `src/noop-device`. */
const WRONG_KEY = 0xbad
const ROUNDS = 20
/** Node.js 20 does not hand a TypeScript loader of the main thread on to workers. */
const LOAD = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(import.meta.url)})))`

const verbs = openVerbs()
const device = verbs.devices()[0]!

async function connect(): Promise<End> {
  const events = new EventLog(verbs.createCmId())
  events.id.resolveAddress({ destination: { host: '127.0.0.1', port: 1 }, timeoutMs: 1000 })
  await events.expect('address-resolved')
  events.id.resolveRoute(1000)
  await events.expect('route-resolved')
  const end = new End(verbs, events)
  end.id.connect()
  await events.expect('established')
  return end
}

/** Posts a Write with a wrong key. @returns what the device says of it */
function breakQueuePair(end: End): Promise<DeviceEvent> {
  return new Promise((resolve) => {
    device.onEvent = resolve
    end.send({ opcode: SendOpcode.write, remoteKey: WRONG_KEY, remoteAddress: 0n })
  })
}

if (isMainThread) {
  const seen: string[] = []
  device.onEvent = ({ name }) => seen.push(name)
  const worker = new Worker(LOAD, { eval: true })
  const [heard] = (await once(worker, 'message')) as [number]
  await once(worker, 'exit')
  assert.deepEqual(seen, [])
  // Its own it does hear.
  const end = await connect()
  assert.equal((await breakQueuePair(end)).queuePair, end.queuePair)
  console.log(`${heard} heard by whom they concern, ${seen.length} by others`)
} else {
  // Nothing of a device keeps the thread alive.
  const alive = setInterval(() => {}, 1000)
  for (let round = 0; round < ROUNDS; round++) {
    const end = await connect()
    const { queuePair, type } = await breakQueuePair(end)
    assert.equal(queuePair, end.queuePair)
    assert.equal(type, 'qp-access-error')
    end.close()
  }
  clearInterval(alive)
  parentPort!.postMessage(ROUNDS)
}
verbs.close()
