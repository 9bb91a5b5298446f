/**
 * Whatever a process is in the midst of when it ends, by whichever way: it ends as it was meant to, without a crash,
 * and the kernel has everything back.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { labDevices } from './lab-devices.js'
import { kernelResources, settleResources } from './lab-resources.js'
import { ENDINGS, playScenario, type Scenario, STAGES, THOROUGH } from './ownership-scenarios.js'

if (!(await playScenario())) declareTests()

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

function declareTests(): void {
  for (const device of labDevices()) {
    describe(`ends of processes on ${device.name}`, { timeout: 280_000 }, () => {
      for (const stage of THOROUGH ? STAGES : (['transferring'] as const)) {
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
  }
}
