/**
 * Whatever a process is in the midst of when it ends, by whichever way: it ends as it was meant to, without a crash,
 * and the kernel has everything back.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { labDevices } from './devices.js'
import { kernelResources, settleResources } from './resources.js'
import { ENDINGS, type Scenario, type Stage } from './scenarios.js'

async function runProcess(scenario: Scenario) {
  const child = spawn(process.execPath, [process.argv[1]!], {
    env: { ...process.env, NETTS_SCENARIO: JSON.stringify(scenario) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk
  })
  child.stdout.once('data', () => {
    if (scenario.ending === 'wait') child.kill('SIGKILL')
  })
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { status, signal, stderr }
}

/** Declares the tests for these stages, with every ending and on every device. */
export function processEnds(stages: readonly Stage[]): void {
  for (const device of labDevices()) {
    describe(`ends of processes on ${device.name}`, () => {
      for (const stage of stages) {
        for (const ending of ENDINGS) {
          it(`${stage}, then ${ending}`, { timeout: 60_000 }, async () => {
            const atFirst = kernelResources()
            const { status, signal, stderr } = await runProcess({ stage, ending, device })
            assert.equal(signal, null, stderr)
            assert.equal(status, ending === 'throw' ? 1 : 0, stderr)
            if (ending === 'throw') assert.match(stderr, /on purpose/)
            assert.deepEqual(await settleResources(atFirst), atFirst)
          })
        }
        it(`${stage}, then killed`, { timeout: 60_000 }, async () => {
          const atFirst = kernelResources()
          const { signal, stderr } = await runProcess({ stage, ending: 'wait', device })
          assert.equal(signal, 'SIGKILL', stderr)
          assert.deepEqual(await settleResources(atFirst), atFirst)
        })
      }
    })
  }
}
