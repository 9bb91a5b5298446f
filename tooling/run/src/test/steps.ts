/** The steps of `npm test` and of `npx pnpm test:deep`, with their budgets. */
import type { Step } from './step.js'

const vitest = 'node_modules/vitest/vitest.mjs'
const config = (name: string) => `--config=tooling/presets/${name}.config.ts`

const typeScript = (file: string) =>
  [process.execPath, '--conditions=@netts/source', '--import', 'tsx', file] as const

/**
 * What `npm test` runs, two steps at a time: within 20 minutes on 2 cores, all of it. The lab's step takes longest, and so
 * begins as soon as it can.
 */
export const steps: readonly Step[] = [
  {
    name: 'lint',
    budgetMinutes: 0.5,
    counted: 'exit-status',
    command: ['npx', 'biome', 'ci', '--error-on-warnings', '.'],
  },
  {
    name: 'workspace',
    budgetMinutes: 0.25,
    counted: 'exit-status',
    command: ['npx', 'sherif', '--fail-on-warnings'],
  },
  { name: 'unused', budgetMinutes: 0.5, counted: 'exit-status', command: ['npx', 'knip'] },
  {
    // All packages as one program: as one for each, core would be checked seventeen times.
    name: 'types',
    budgetMinutes: 1,
    counted: 'exit-status',
    command: ['npx', 'pnpm', '--silent', 'run', 'types'],
  },
  {
    name: 'build',
    budgetMinutes: 1.5,
    counted: 'exit-status',
    command: ['npx', 'turbo', 'run', 'build', '--output-logs=errors-only'],
  },
  {
    // Tests in `suites` and `rdma suites` run with it. Without a compiler they are skipped, and in CI it fails here.
    name: 'sanitizers',
    budgetMinutes: 2.5,
    counted: 'exit-status',
    command: [
      'npx',
      'pnpm',
      '--silent',
      '--filter',
      '@netts/verbs',
      '--filter',
      '@netts/loopback',
      'run',
      'build:sanitized',
    ],
  },
  {
    // In one boot of the lab; where that cannot run, a visible skip, and in CI a failure.
    name: 'rdma suites',
    needs: ['build', 'sanitizers'],
    budgetMinutes: 13,
    counted: 'last-line',
    command: typeScript('tooling/lab/src/suites/main.ts'),
  },
  {
    name: 'suites',
    needs: ['build', 'sanitizers'],
    budgetMinutes: 9,
    counted: 'vitest',
    command: [process.execPath, vitest, 'run', config('vitest')],
  },
  {
    name: 'packages',
    needs: ['build'],
    budgetMinutes: 2.5,
    counted: 'vitest',
    command: [process.execPath, vitest, 'run', config('packages')],
  },
]

/** Every Node.js version that users run; 20 is what `npm test` runs on. */
const matrix = [22, 24, 26].flatMap((version): Step[] => {
  const run = ['npx', '--yes', `node@${version}`, vitest, 'run'] as const
  return [
    {
      name: `suites on Node ${version}`,
      budgetMinutes: 8,
      counted: 'vitest',
      command: [...run, config('vitest')],
    },
    {
      // What an HTTP/2 session waits for is up to Node.js: each version is to show that nothing waits for ever.
      name: `http2 on Node ${version}`,
      budgetMinutes: 4,
      counted: 'vitest',
      command: [...run, config('deep'), 'http2.deep'],
    },
  ]
})

/** What `npx pnpm test:deep` runs in addition. */
export const deepSteps: readonly Step[] = [
  ...matrix,
  {
    name: 'deep suites',
    budgetMinutes: 60,
    counted: 'vitest',
    command: [process.execPath, vitest, 'run', config('deep')],
  },
  {
    name: 'deep rdma suites',
    budgetMinutes: 40,
    counted: 'last-line',
    command: [...typeScript('tooling/lab/src/suites/main.ts'), '--deep'],
  },
]
