/**
 * Whatever a worker is in the midst of when it ends or is terminated: the process lives on, and the kernel has
 * everything of the worker back.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { before, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { labDevices } from './lab-devices.js'
import { kernelResources, settleResources, warmUp } from './lab-resources.js'
import { benchOn, playScenario, type Scenario, STAGES, THOROUGH } from './ownership-scenarios.js'

if (!(await playScenario())) declareTests()

function startWorker(scenario: Scenario): Worker {
  return new Worker(process.argv[1]!, { workerData: JSON.stringify(scenario), stderr: true })
}

function declareTests(): void {
  for (const device of labDevices()) {
    describe(`ends of workers on ${device.name}`, { timeout: 280_000 }, () => {
      before(() => warmUp(benchOn(device)))

      for (const stage of STAGES) {
        it(`${stage}, then terminated`, async () => {
          const atFirst = kernelResources()
          const worker = startWorker({ stage, ending: 'wait', device })
          await once(worker, 'message')
          assert.equal(await worker.terminate(), 1)
          assert.deepEqual(await settleResources(atFirst), atFirst)
        })
        if (!THOROUGH && stage !== 'transferring') continue
        it(`${stage}, then nothing left to do`, async () => {
          const atFirst = kernelResources()
          const worker = startWorker({ stage, ending: 'nothing-left', device })
          const [status] = (await once(worker, 'exit')) as [number]
          assert.equal(status, 0)
          assert.deepEqual(await settleResources(atFirst), atFirst)
        })
      }
    })
  }
}
