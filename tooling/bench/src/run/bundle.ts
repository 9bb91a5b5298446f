/**
 * Builds the worker: what is measured must be code as it is shipped, not as a loader transforms it at
 * run time, and a worker should start fast.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

const outputDirectory = fileURLToPath(new URL('../../dist/worker', import.meta.url))

/** Everything but netts itself is loaded from node_modules, as its users do. */
const peersStayOutside: Plugin = {
  name: 'peers-stay-outside',
  setup(context) {
    context.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (kind === 'entry-point' || path.startsWith('@netts/')) return undefined
      return { path, external: true }
    })
    // The addon is looked up beside its own source file, which the bundle is not.
    context.onLoad({ filter: /[\\/]native[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      return {
        contents: source.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
        loader: 'ts',
      }
    })
  },
}

/** @returns the path of the worker's entry point */
export async function bundleWorker(): Promise<string> {
  await build({
    entryPoints: { main: fileURLToPath(new URL('../worker/main.ts', import.meta.url)) },
    outdir: outputDirectory,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@netts/source'],
    plugins: [peersStayOutside],
    logLevel: 'warning',
  })
  return `${outputDirectory}/main.js`
}
