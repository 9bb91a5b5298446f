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
    dts: {
      // Not for what `overrides` adds: programs, which nobody imports.
      entry,
      // Declarations name Buffer and others of Node.js: without this they are `any` where `types` is empty.
      banner: '/// <reference types="node" />',
      compilerOptions: { stripInternal: true },
    },
    sourcemap: true,
    clean: true,
    splitting: true,
    ...overrides,
  })
}
