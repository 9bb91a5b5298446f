/** How large a package is for those who install it, and for those who bundle it. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { ScratchProject } from '../packages/scratch-project.js'

/** The sum of the sizes of a folder's files, in bytes. */
export function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

/** What a package's root and all that it needs add to a minified bundle, in bytes: plain and compressed. */
export async function bundleBytes(project: ScratchProject, name: string) {
  const { outputFiles } = await build({
    stdin: { contents: `export * from '${name}'`, resolveDir: project.directory },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'error',
  })
  const { contents } = outputFiles[0]!
  return { minified: contents.byteLength, compressed: gzipSync(contents).byteLength }
}
