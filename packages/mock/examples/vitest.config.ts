/** Runs the vitest example against the sources, as this repository's tests do. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const conditions = ['@netts/source', 'node', 'import']

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['ask.vitest.mjs'] },
})
