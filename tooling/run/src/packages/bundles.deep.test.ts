/** Applications that rollup, webpack and ncc made one file of. */
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { basename, dirname } from 'node:path'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
import webpack from 'webpack'
import { type Bundler, bundleSuite, VERBS } from './bundle-suite.js'

const { resolve } = createRequire(import.meta.url)

const withRollup =
  (format: 'cjs' | 'es'): Bundler =>
  async (input, output, isVerbsExternal) => {
    const external = isVerbsExternal ? [/^node:/, VERBS] : [/^node:/]
    const made = await rollup({ input, plugins: [nodeResolve()], external, logLevel: 'silent' })
    await made.write({ file: output, format })
    await made.close()
  }

const withWebpack =
  (type: 'commonjs2' | 'module'): Bundler =>
  async (input, output, isVerbsExternal) => {
    const stats = await new Promise<webpack.Stats | undefined>((done, fail) =>
      webpack(
        {
          entry: input,
          target: 'node20',
          externals: isVerbsExternal ? [VERBS] : [],
          externalsType: type,
          mode: 'production',
          output: {
            path: dirname(output),
            filename: basename(output),
            library: { type },
            module: type === 'module',
          },
          experiments: { outputModule: type === 'module' },
        },
        (error, result) => (error ? fail(error) : done(result)),
      ),
    )
    if (stats?.hasErrors()) throw new Error(stats.toString('errors-only'))
  }

const withNcc: Bundler = async (input, output, isVerbsExternal) => {
  const names = isVerbsExternal ? ['@netts/verbs', '@netts/verbs/endpoint'] : []
  const external = names.flatMap((name) => ['--external', name])
  const program = resolve('@vercel/ncc/dist/ncc/cli.js')
  const words = [program, 'build', input, '--out', dirname(output), '--quiet', ...external]
  execFileSync(process.execPath, words, { cwd: dirname(input), stdio: 'pipe' })
}

bundleSuite([
  { name: 'rollup, CommonJS', file: 'main.cjs', bundle: withRollup('cjs') },
  { name: 'rollup, ESM', file: 'main.mjs', bundle: withRollup('es') },
  { name: 'webpack, CommonJS', file: 'main.cjs', bundle: withWebpack('commonjs2') },
  { name: 'webpack, ESM', file: 'main.mjs', bundle: withWebpack('module') },
  { name: 'ncc', file: 'index.mjs', bundle: withNcc },
])
