/** Finds the file of the compiled addon: in the package, in the repository, or where a bundle has it. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** So many bytes at the beginning of a Linux program contain the path of its dynamic linker. */
const PROGRAM_HEADERS_BYTES = 4096

/** The name of the addon's folder for this machine, such as `linux-x64` or `linux-arm64-musl`. */
export function addonTarget(): string {
  const target = `${process.platform}-${process.arch}`
  return process.platform === 'linux' && usesMusl() ? `${target}-musl` : target
}

/** Whether this program uses musl, the C library of Alpine Linux, where an addon for glibc may load and misbehave. */
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
    return false // There is no /proc. Loading an addon that does not fit fails, with its path in the message.
  }
  return head.includes('/ld-musl-')
}

/**
 * Folders in which this code may be. Bundlers replace `import.meta.url` or `__dirname`, but not both.
 */
function ownFolders(): string[] {
  const url: string | undefined = import.meta.url
  const folders = url?.startsWith('file:') ? [dirname(fileURLToPath(url))] : []
  if (typeof __dirname === 'string') folders.push(__dirname)
  return folders
}

/**
 * The paths at which the addon for this machine is looked for, in this order. If `NETTS_VERBS_ADDON` is set, only the
 * path in it. Otherwise beside `dist/`, in the repository, beside the bundle that this code is part of, and in the
 * package that is installed where the bundle is.
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

/** The folder of the installed package that a program in `folder` would import; none if there is none. */
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
