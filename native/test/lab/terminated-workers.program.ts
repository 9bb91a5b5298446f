/**
 * Terminates workers in the midst of calls into the addon. Node-API refuses what such a call then asks for, which must
 * end the worker and never the process.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { openVerbs } from '../../lib/addon/open-verbs.js'

const ROUNDS = 4
/** So many call at a time: more would keep one another from starting. */
const WORKERS = 4
/** Node.js 20 does not hand a TypeScript loader of the main thread on to workers. */
const LOAD = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(import.meta.url)})))`

async function terminateOne(): Promise<void> {
  const worker = new Worker(LOAD, { eval: true })
  await once(worker, 'message')
  assert.equal(await worker.terminate(), 1)
}

if (isMainThread) {
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(Array.from({ length: WORKERS }, terminateOne))
  }
  console.log(`${ROUNDS * WORKERS} terminated`)
} else {
  const device = openVerbs().devices()[0]!
  parentPort!.postMessage('calling')
  // Many small steps of Node-API each, so that the end comes amid them.
  for (;;) device.ports()
}
