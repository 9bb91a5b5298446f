/** The one tsup preset: ESM first with CJS and both kinds of declarations beside it. */
import { defineConfig, type Options } from 'tsup'

/**
 * @param entry the package's public entry points, by output name
 * @param overrides what a single package needs differently
 */
export function library(entry: Record<string, string>, overrides: Options = {}) {
  return defineConfig({
    entry,
    format: ['esm', 'cjs'],
    target: 'node20',
    dts: true,
    sourcemap: true,
    clean: true,
    splitting: true,
    ...overrides,
  })
}
