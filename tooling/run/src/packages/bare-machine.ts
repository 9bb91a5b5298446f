/**
 * Runs commands as on a machine that has Node.js and nothing for RDMA: `libibverbs` and `librdmacm` are gone from its
 * library folders, and the PATH has no compiler.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ProgramResult } from './scratch-project.js'

const LIBRARIES = /^lib(ibverbs|rdmacm)\.so/

/** Folders of the dynamic linker that hold the libraries. */
function librariesFolders(): string[] {
  const known = spawnSync('ldconfig', ['-p'], { encoding: 'utf8', env: { PATH: '/usr/sbin:/sbin:/usr/bin' } })
  const paths = [...(known.stdout ?? '').matchAll(/=> (\S+)\/(\S+)$/gm)]
  const folders = paths.filter(([, , name]) => LIBRARIES.test(name!)).map(([, folder]) => folder!)
  return [...new Set(folders)]
}

/** A machine without RDMA and without a compiler, as seen by the commands that run on it. */
export class BareMachine implements Disposable {
  /** Why there cannot be one here; else `undefined`. */
  readonly unavailable: string | undefined
  readonly #folder = mkdtempSync(join(tmpdir(), 'netts-bare-'))
  readonly #enter: readonly string[]

  constructor() {
    const path = join(this.#folder, 'path')
    mkdirSync(path)
    symlinkSync(process.execPath, join(path, 'node'))
    const script = join(this.#folder, 'hide.sh')
    // In a mount namespace of its own: overlays over these folders, in which the libraries are deleted.
    const hide = librariesFolders().map(
      (folder, index) =>
        `mkdir $scratch/upper${index} $scratch/work${index}
        mount -t overlay overlay -o lowerdir=${folder},upperdir=$scratch/upper${index},workdir=$scratch/work${index} ${folder}
        rm -f ${folder}/libibverbs.so* ${folder}/librdmacm.so*`,
    )
    writeFileSync(
      script,
      `set -e
      scratch=${join(this.#folder, 'scratch')}
      mkdir -p $scratch
      mount -t tmpfs none $scratch
      ${hide.join('\n')}
      PATH=${path} exec "$@"`,
    )
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
    this.#enter = ['unshare', ...user, '--mount', '/bin/sh', script]
    const tried = this.#spawn('node', ['--version'])
    this.unavailable = tried.status === 0 ? undefined : `no mount namespaces: ${tried.stderr.trim()}`
  }

  /** Runs a command of the PATH, or one with a path of its own. */
  run(command: string, args: readonly string[], cwd: string): ProgramResult {
    return this.#spawn(command, args, cwd)
  }

  #spawn(command: string, args: readonly string[], cwd = this.#folder): ProgramResult {
    const [first, ...rest] = [...this.#enter, command, ...args]
    const env = { ...process.env, NODE_OPTIONS: '' }
    return spawnSync(first!, rest, { cwd, env, encoding: 'utf8', timeout: 120_000 })
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** npm's program, to be run by Node.js itself. */
export function npmProgram(): string {
  const root = execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim()
  return join(root, 'npm/bin/npm-cli.js')
}
