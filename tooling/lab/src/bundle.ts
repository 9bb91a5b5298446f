/**
 * TypeScript of this workspace as one file of plain JavaScript, which starts in an emulated guest in a
 * second or two, where a TypeScript loader needs ten.
 */
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

/**
 * Bundles a program with everything it imports, `@netts/*` from their sources. Each source keeps its own
 * `import.meta.url`, so that what it finds by it (a native addon, a fixture) is found in the repository.
 *
 * @param entry the path of the program's first file
 * @returns an ES module for Node.js 20
 */
export async function bundle(entry: string): Promise<Uint8Array> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@netts/source'],
    sourcemap: 'inline',
    sourcesContent: false,
    sourceRoot: `${pathToFileURL(process.cwd()).href}/`, // what esbuild's source paths are relative to
    plugins: [ownImportMeta],
    // CommonJS dependencies call require() for Node's own modules.
    banner: {
      js: "import { createRequire as createLabRequire } from 'node:module';const require = createLabRequire(import.meta.url);",
    },
    logLevel: 'warning',
  })
  return result.outputFiles[0]!.contents
}

const ownImportMeta: Plugin = {
  name: 'own-import-meta',
  setup({ onLoad }) {
    onLoad({ filter: /\.[mc]?[jt]s$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      if (!source.includes('import.meta.')) return undefined
      const contents = source
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.filename', JSON.stringify(path))
      return { contents, loader: path.endsWith('ts') ? 'ts' : 'js' }
    })
  },
}
