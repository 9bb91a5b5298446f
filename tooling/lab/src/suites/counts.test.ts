import { expect, test } from 'vitest'
import { countsOf, failedTests } from './counts.js'

const summary = (pass: number, fail: number, cancelled: number, skipped: number, todo: number) =>
  `✔ ok\nℹ tests 9\nℹ suites 1\nℹ pass ${pass}\nℹ fail ${fail}\nℹ cancelled ${cancelled}\nℹ skipped ${skipped}\nℹ todo ${todo}\n`

test('the summary of a file is counted, and what was cancelled has failed', () => {
  expect(countsOf(summary(3, 1, 2, 4, 1))).toEqual({ passed: 3, failed: 3, skipped: 5 })
})

test('a file without a summary has no counts', () => {
  expect(countsOf('✔ ok\n')).toBeUndefined()
})

test('what failed is known by name', () => {
  expect(failedTests('▶ a\n  ✔ b (1.5ms)\n  ✖ c (of d) (3ms)\n✖ a (4.25ms)\n✖ failing tests:\n')).toEqual([
    'c (of d)',
    'a',
  ])
})
