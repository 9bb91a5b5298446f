/** How many tests passed, failed and were skipped, and which failed, as node:test's `spec` reporter says. */
export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** `undefined` when there is no summary: the file never came to its end. */
export function countsOf(output: string): Counts | undefined {
  const number = (label: string) => {
    const found = [...output.matchAll(new RegExp(`^ℹ ${label} (\\d+)$`, 'gm'))].at(-1)
    return found === undefined ? undefined : Number(found[1])
  }
  const [passed, failed, cancelled, skipped, todo] = ['pass', 'fail', 'cancelled', 'skipped', 'todo'].map(
    number,
  )
  if (passed === undefined || failed === undefined) return undefined
  return { passed, failed: failed + (cancelled ?? 0), skipped: (skipped ?? 0) + (todo ?? 0) }
}

/** The names of the tests and suites that failed. */
export function failedTests(output: string): string[] {
  return [...output.matchAll(/^ *✖ (.+) \([\d.]+ms\)/gm)].map(([, name]) => name!)
}
