/** Runs the suites of the very program that this is part of in a process with sanitizers, as one test a device. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { LabDevice } from './devices.js'
import { runSanitized, sanitizedIsMissing } from './sanitized.js'

const TIMEOUT_MS = 280_000

export function sanitizedSuites(devices: readonly LabDevice[]): void {
  for (const device of devices) {
    it(`nothing to report on ${device.name}`, { skip: sanitizedIsMissing && 'not built' }, () => {
      const { status, signal, stdout, stderr } = runSanitized(
        ['--enable-source-maps', '--test-reporter=spec', process.argv[1]!],
        { NETTS_LAB_DEVICES: JSON.stringify([device]) },
        TIMEOUT_MS,
      )
      assert.equal(status, 0, `${signal ?? status}\n${stdout}\n${stderr}`)
      assert.doesNotMatch(stderr, /AddressSanitizer|runtime error/)
      const passed = /^ℹ pass (\d+)$/m.exec(stdout)?.[1]
      assert(Number(passed) > 50, stdout)
      console.log(`${passed} tests passed with sanitizers`)
    })
  }
}
