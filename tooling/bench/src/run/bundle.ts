/**
 * Builds the programs that run in processes of their own: what is measured must be code as it is shipped, not as
 * a loader transforms it at run time, and they should start fast.
 */
import { readFile, rm } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

const outputDirectory = fileURLToPath(new URL('../../dist', import.meta.url))

/** Everything but netts itself is loaded from node_modules, as its users do. */
const peersStayOutside: Plugin = {
  name: 'peers-stay-outside',
  setup(context) {
    context.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (kind === 'entry-point' || path.startsWith('@netts/')) return undefined
      return { path, external: true }
    })
    // The addon and the loopback device are looked up beside their own source files, which the bundle is not.
    context.onLoad({ filter: /[\\/](native|loopback)[\\/]lib[\\/].*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      return {
        contents: source.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
        loader: 'ts',
      }
    })
  },
}

/** The bundled programs, by their paths. */
export interface Programs {
  /** What the addon costs, see `addon/cost.ts`. */
  readonly addonCost: string
  /** One side of a run. */
  readonly worker: string
  /** The whole measurement, for inside the lab. */
  readonly inside: string
}

export async function bundlePrograms(): Promise<Programs> {
  const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  await rm(outputDirectory, { recursive: true, force: true })
  await build({
    entryPoints: {
      worker: source('../worker/main.ts'),
      inside: source('../lab/inside.ts'),
      'addon-cost': source('../addon/cost.ts'),
      'pool-cycle': source('../pools/cycle.ts'),
    },
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
  const built = (name: string) => `${outputDirectory}/${name}.js`
  return { worker: built('worker'), inside: built('inside'), addonCost: built('addon-cost') }
}
