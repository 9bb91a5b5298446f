/** The one vitest configuration: every `*.test.ts` of the workspace, resolved to sources, no build needed. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  resolve: { conditions: ['@netts/source', 'node', 'import'] },
  ssr: { resolve: { conditions: ['@netts/source', 'node', 'import'] } },
  test: {
    include: ['{packages,tooling}/*/**/*.test.ts', 'native/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/*.deep.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
