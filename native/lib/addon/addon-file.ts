/** Finds the file of the compiled addon: in the package, in the repository, or where a bundle has it. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In which Linux programs name the dynamic linker that runs them. */
const PROGRAM_HEADERS_BYTES = 4096

/** The machine as the addon's folder is named after it, such as `linux-x64` or `linux-arm64-musl`. */
export function addonTarget(): string {
  const target = `${process.platform}-${process.arch}`
  return process.platform === 'linux' && usesMusl() ? `${target}-musl` : target
}

/** Whether this program runs on the C library of Alpine Linux, on which an addon for glibc may load and misbehave. */
function usesMusl(): boolean {
  const head = Buffer.alloc(PROGRAM_HEADERS_BYTES)
  try {
    const program = openSync('/proc/self/exe', 'r')
    try {
      readSync(program, head)
    } finally {
      closeSync(program)
    }
  } catch {
    return false // No /proc: an addon that does not fit is not loaded, and the error names it.
  }
  return head.includes('/ld-musl-')
}

/**
 * Folders in which this code is. Bundlers leave neither `import.meta.url` nor `__dirname` alone, but never break both.
 */
function ownFolders(): string[] {
  const url: string | undefined = import.meta.url
  const folders = url?.startsWith('file:') ? [dirname(fileURLToPath(url))] : []
  if (typeof __dirname === 'string') folders.push(__dirname)
  return folders
}

/**
 * Every path at which the addon for this machine is looked for, in this order: the one that `NETTS_VERBS_ADDON` names,
 * and no other; beside `dist/`; beside the bundle that this code is part of; in the package that is installed there.
 */
export function addonFiles(): string[] {
  const chosen = process.env.NETTS_VERBS_ADDON
  if (chosen !== undefined) return [chosen]
  const file = join('prebuilds', addonTarget(), 'netts_verbs.node')
  const files = ownFolders().flatMap((folder) => [
    join(folder, '..', file),
    // In the repository's sources.
    join(folder, '../..', file),
    join(folder, file),
    ...installedPackage(folder).map((installed) => join(installed, file)),
  ])
  return [...new Set(files)]
}

/** The folder of the package as a program in `folder` would import it, if it is installed. */
function installedPackage(folder: string): string[] {
  try {
    return [dirname(createRequire(join(folder, 'bundle.js')).resolve('@netts/verbs/package.json'))]
  } catch {
    return []
  }
}

/** The file that would be loaded, or `undefined` when there is none. */
export function addonFile(): string | undefined {
  return addonFiles().find((file) => existsSync(file))
}
