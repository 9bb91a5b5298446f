/**
 * Whatever a worker is in the midst of when it ends or is terminated: the process lives on, and the kernel has
 * everything of the worker back.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { before, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { labDevices } from './devices.js'
import { kernelResources, settleResources, warmUp } from './resources.js'
import { benchOn, ENDINGS, type Scenario, type Stage } from './scenarios.js'

function startWorker(scenario: Scenario): Worker {
  return new Worker(process.argv[1]!, { workerData: JSON.stringify(scenario), stderr: true })
}

/** Declares the tests for these stages, with every ending and on every device. */
export function workerEnds(stages: readonly Stage[]): void {
  for (const device of labDevices()) {
    describe(`ends of workers on ${device.name}`, () => {
      before(() => warmUp(benchOn(device)))

      for (const stage of stages) {
        it(`${stage}, then terminated`, { timeout: 60_000 }, async () => {
          const atFirst = kernelResources()
          const worker = startWorker({ stage, ending: 'wait', device })
          await once(worker, 'message')
          assert.equal(await worker.terminate(), 1)
          assert.deepEqual(await settleResources(atFirst), atFirst)
        })
        for (const ending of ENDINGS) {
          it(`${stage}, then ${ending}`, { timeout: 60_000 }, async () => {
            const atFirst = kernelResources()
            const worker = startWorker({ stage, ending, device })
            const errors: Error[] = []
            worker.on('error', (error: Error) => errors.push(error))
            // Not once(), which rejects with the error that is expected here.
            const status = await new Promise<number>((resolve) => worker.once('exit', resolve))
            assert.equal(status, ending === 'throw' ? 1 : 0)
            assert.deepEqual(
              errors.map(({ message }) => message),
              ending === 'throw' ? ['on purpose'] : [],
            )
            assert.deepEqual(await settleResources(atFirst), atFirst)
          })
        }
      }
    })
  }
}
