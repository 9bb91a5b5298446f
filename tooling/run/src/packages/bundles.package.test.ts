/** Applications that esbuild made one file of; `bundles.deep.test.ts` has the other bundlers. */
import { build } from 'esbuild'
import { type Bundler, bundleSuite } from './bundle-suite.js'

const withEsbuild =
  (format: 'cjs' | 'esm'): Bundler =>
  async (input, output, isVerbsExternal) => {
    const external = isVerbsExternal ? ['@netts/verbs'] : []
    // What it warns of, that CommonJS has no `import.meta`, is what is tested here.
    await build({
      entryPoints: [input],
      outfile: output,
      bundle: true,
      platform: 'node',
      format,
      logLevel: 'error',
      external,
    })
  }

bundleSuite([
  { name: 'esbuild, CommonJS', file: 'main.cjs', bundle: withEsbuild('cjs') },
  { name: 'esbuild, ESM', file: 'main.mjs', bundle: withEsbuild('esm') },
])
