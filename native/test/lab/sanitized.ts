/**
 * Runs programs with the build of the addon that has AddressSanitizer and UBSan (`pnpm build:sanitized`). What either
 * of them reports ends the program with a status that is not 0.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const SANITIZED = here('../../build/sanitized/netts_verbs.node')
/** An addon that commits the fault which `NETTS_FAULT` names: see `src/sanitizer-check`. */
export const FAULTY = here('../../build/sanitized/fault.node')

/** Whether this process has been started by {@link runSanitized}. */
export const isSanitized = process.env.NETTS_SANITIZED === '1'

/** Without a compiler there is no such build; a build server must have one. */
export const sanitizedIsMissing = !existsSync(SANITIZED) && process.env.CI !== 'true'

/** Why a test that needs such builds, of the addon and of the loopback provider, is skipped; '' where it runs. */
export function withoutSanitizers(loopbackIsMissing: boolean): string {
  if (sanitizedIsMissing) return ' (skipped: the addon was not built with sanitizers)'
  return loopbackIsMissing ? ' (skipped: the loopback provider was not built with sanitizers)' : ''
}

/** How the program ended, and what it said. */
export interface SanitizedRun {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** @param nodeArguments what to run: options of Node.js, the program, its arguments */
export function runSanitized(
  nodeArguments: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  timeoutMs = 60_000,
): SanitizedRun {
  // Node.js itself is built without them, so their runtime has to be loaded ahead of everything. It looks for the
  // functions that throw exceptions right then, and Node.js does not export its own.
  const libraries = ['libasan.so', 'libstdc++.so'].map((name) =>
    execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim(),
  )
  return spawnSync(process.execPath, nodeArguments, {
    env: {
      ...process.env,
      NETTS_SANITIZED: '1',
      NETTS_VERBS_ADDON: SANITIZED,
      LD_PRELOAD: libraries.join(' '),
      // Node.js leaves much of its memory to the end of the process.
      ASAN_OPTIONS: 'detect_leaks=0',
      UBSAN_OPTIONS: 'print_stacktrace=1',
      ...environment,
    },
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 16 << 20,
  })
}
