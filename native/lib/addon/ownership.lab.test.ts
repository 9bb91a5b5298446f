/**
 * Whatever an environment is in the midst of when it ends, by whichever way: it ends as it was meant to, without a
 * crash, and the kernel has everything back. This file is also the child process and the worker of its tests.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { connectPair, listen } from '../device-suite/pair.js'
import { AccessFlag, SendFlag, SendOpcode } from '../verbs/layout.js'
import { type LabDevice, labDevices } from './lab-devices.js'
import { kernelResources, settleResources, warmUp } from './lab-resources.js'
import { openVerbs } from './open-verbs.js'
import { benchOn, ENDINGS, type Ending, end, reach, STAGES, type Stage } from './ownership-scenarios.js'

/** Starting Node.js takes seconds in an emulated guest: `NETTS_DEEP=1` tries every combination. */
const THOROUGH = process.env.NETTS_DEEP === '1'

interface Scenario {
  readonly stage: Stage
  readonly ending: Ending | 'wait'
  readonly device: LabDevice
}

const inherited = isMainThread ? process.env.NETTS_SCENARIO : (workerData as string)
if (inherited === undefined) declareTests()
else {
  const { stage, ending, device } = JSON.parse(inherited) as Scenario
  await reach(stage, device)
  parentPort?.postMessage('reached')
  if (ending === 'wait') setInterval(() => {}, 1000)
  // The throw must not be a rejection of this module.
  else setImmediate(() => end(ending))
}

function startWorker(scenario: Scenario): Worker {
  return new Worker(process.argv[1]!, { workerData: JSON.stringify(scenario), stderr: true })
}

async function runProcess(scenario: Scenario) {
  const child = spawn(process.execPath, [process.argv[1]!], {
    env: { ...process.env, NETTS_SCENARIO: JSON.stringify(scenario) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { status, signal, stderr }
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let round = 0; round < 5; round++) {
    gc()
    await sleep(10)
  }
}

function declareTests(): void {
  for (const device of labDevices()) {
    describe(`ends of processes on ${device.name}`, { timeout: 120_000 }, () => {
      for (const stage of THOROUGH ? STAGES : (['connecting', 'transferring'] as const)) {
        for (const ending of ENDINGS) {
          it(`${stage}, then ${ending}`, async () => {
            const atFirst = kernelResources()
            const { status, signal, stderr } = await runProcess({ stage, ending, device })
            assert.equal(signal, null, stderr)
            assert.equal(status, ending === 'throw' ? 1 : 0, stderr)
            if (ending === 'throw') assert.match(stderr, /on purpose/)
            assert.deepEqual(await settleResources(atFirst), atFirst)
          })
        }
      }
    })

    describe(`ends of workers on ${device.name}`, { timeout: 120_000 }, () => {
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

    describe(`garbage on ${device.name}`, { timeout: 60_000 }, () => {
      it('objects that nobody refers to any more are closed', async () => {
        const { client } = benchOn(device)
        const counts = client.counts
        await dropEverything(device)
        await collectGarbage()
        assert.deepEqual(client.counts, counts)
        assert.equal(client.pinnedBytes, 0)
        client.close()
      })

      it('a region stays readable after everything else is gone', async () => {
        const bytes = await keepOnlyBytes(device)
        await collectGarbage()
        assert.equal(bytes[4095], 42)
        openVerbs().close()
        assert.equal(bytes[4095], 42)
      })
    })

    it(`child processes do not disturb registered memory on ${device.name}`, {
      timeout: 60_000,
    }, async () => {
      const bench = benchOn(device)
      const { client, server, close } = await connectPair(bench, {
        server: { access: AccessFlag.localWrite | AccessFlag.remoteWrite },
      })
      for (let round = 1; round <= 5; round++) {
        const child = spawn('sleep', ['0.2'])
        // Had the child shared these pages, this would be a write to a copy that the device does not know.
        const sent = client.fill(0, 4096, round)
        server.region.bytes.fill(0)
        execFileSync('true')
        client.send({
          opcode: SendOpcode.write,
          flags: SendFlag.signalled,
          entries: [{ region: client.region, byteLength: 4096 }],
          remoteAddress: server.region.remoteAddress,
          remoteKey: server.region.remoteKey,
        })
        await client.completions.succeed(1)
        if (device.type === 'siw') await sleep(50)
        assert.deepEqual(server.bytes(0, 4096), sent)
        if (child.exitCode === null) await once(child, 'close')
      }
      close()
      bench.client.close()
    })
  }
}

/** In a function of its own, so that nothing stays on the stack. */
async function dropEverything(device: LabDevice): Promise<void> {
  const bench = benchOn(device)
  const listener = listen(bench)
  const pair = await connectPair(bench, {}, listener)
  for (const { id, channel, completions } of [pair.client, pair.server]) {
    // What has a callback is alive, like a socket.
    id.onEvent = undefined
    id.unref()
    channel.unref()
    completions.queue.onNotify = undefined
  }
  listener.id.onEvent = undefined
  listener.id.unref()
}

async function keepOnlyBytes(device: LabDevice): Promise<Uint8Array> {
  const [first] = benchOn(device).client.devices()
  const region = first!.allocateProtectionDomain().registerRegion({ byteLength: 4096 })
  region.bytes[4095] = 42
  return region.bytes
}
