/** The conformance suite over the addon and the loopback device, both with AddressSanitizer and UBSan. */
import { loopbackIsMissing } from '@netts/loopback'
import { describe, expect, it } from 'vitest'
import { runSanitized, withoutSanitizers } from '../../../native/test/lab/sanitized.js'

/**
 * Declares the test.
 * @param program runs the suite under `node:test`
 */
export function sanitizedConformance(name: string, program: string): void {
  const reason = withoutSanitizers(loopbackIsMissing('sanitized'))
  describe.skipIf(reason !== '')(`${name} with sanitizers${reason}`, () => {
    it('does nothing that they report, in the conformance suite', () => {
      const { status, signal, stdout, stderr } = runSanitized(
        ['--conditions=@netts/source', '--import', 'tsx', '--test-reporter=spec', program],
        {},
        150_000,
      )
      expect(status, `${signal ?? status}\n${stdout}\n${stderr}`).toBe(0)
      expect(stderr).not.toMatch(/AddressSanitizer|runtime error/)
      expect(Number(/^ℹ pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(100)
    }, 160_000)
  })
}
