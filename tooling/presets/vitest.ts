/** What every vitest run has in common: tests resolve to sources, so that no build is needed to run one file. */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const conditions = ['@netts/source', 'node', 'import']

/**
 * @param include the test files, from the repository's root
 * @param timeoutMs after which a single test counts as hanging
 */
export function suites(include: string[], timeoutMs: number) {
  return defineConfig({
    root: fileURLToPath(new URL('../..', import.meta.url)),
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      include,
      // `*.lab.test.ts` run under node:test, where RDMA is: see tooling/lab.
      exclude: ['**/node_modules/**', '**/dist/**', '**/*.lab.test.ts'],
      pool: 'forks',
      // vitest takes one less than there are processors, and most tests wait for a wire.
      maxWorkers: Math.max(2, availableParallelism()),
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
    },
  })
}
