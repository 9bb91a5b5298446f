/**
 * The cache outside the repository: `$XDG_CACHE_HOME/netts-lab` (or `~/.cache/netts-lab`), one folder per
 * version of what was built. An entry appears whole, by a rename, or not at all.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

/** 14 days. */
const UNUSED_MS = 14 * 24 * 3_600_000

export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(base, 'netts-lab')
}

/**
 * The path of a cache entry, built by `build` into the folder it is given if it does not exist yet.
 * Of several processes that need it at once, one builds and the others wait.
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const entry = join(cacheFolder(), name)
  if (existsSync(entry)) return await used(entry)
  await mkdir(cacheFolder(), { recursive: true })
  await using _lock = await lock(join(cacheFolder(), 'lock'))
  if (existsSync(entry)) return entry
  await using work = await temporaryFolder(cacheFolder())
  await build(work.path)
  await chmod(work.path, 0o755)
  await rename(work.path, entry)
  await removeUnused()
  return entry
}

/** The newest entry, by the version in its name, of those whose name matches. */
export async function newestCached(pattern: RegExp): Promise<string | undefined> {
  if (!existsSync(cacheFolder())) return undefined
  const names = (await readdir(cacheFolder())).filter((name) => pattern.test(name))
  const newest = names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)
  return newest === undefined ? undefined : await used(join(cacheFolder(), newest))
}

/** Notes that an entry is still in use. */
async function used(entry: string): Promise<string> {
  const now = new Date()
  await utimes(entry, now, now).catch(() => {}) // the cache may be read-only
  return entry
}

/** Removes entries that nobody used for a while, such as those of older kernels. */
async function removeUnused(): Promise<void> {
  for (const name of await readdir(cacheFolder())) {
    const path = join(cacheFolder(), name)
    const { mtimeMs } = await stat(path)
    if (name !== 'lock' && Date.now() - mtimeMs > UNUSED_MS) await rm(path, { recursive: true, force: true })
  }
}

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

/**
 * A new folder that goes away when disposed, and also when this process dies in any way: a small shell waits
 * for the end of a pipe that only we hold open, and removes it.
 */
export async function temporaryFolder(within = tmpdir()): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(within, 'netts-lab-'))
  const reaper = spawn('sh', ['-c', 'cat > /dev/null; rm -rf -- "$1"', 'sh', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  return {
    path,
    async [Symbol.asyncDispose]() {
      const gone = once(reaper, 'exit')
      reaper.stdin.end()
      await gone
    },
  }
}

/** An exclusive lock on a file, waited for and released also when this process dies. */
async function lock(path: string): Promise<AsyncDisposable> {
  const holder = spawn('flock', ['--exclusive', path, 'sh', '-c', 'echo; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  await once(holder.stdout, 'data')
  return {
    async [Symbol.asyncDispose]() {
      const gone = once(holder, 'exit')
      holder.stdin.end()
      await gone
    },
  }
}
