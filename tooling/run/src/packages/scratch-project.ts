/** An empty project outside of the repository, in which packed packages are used as a user would. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from './workspace.js'

/** What a program printed, and how it ended. */
export interface ProgramResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A project in a temporary folder. */
export class ScratchProject implements Disposable {
  readonly directory: string

  constructor() {
    // A space, because users have them in their paths.
    this.directory = mkdtempSync(join(tmpdir(), 'netts scratch-'))
    this.write('package.json', '{ "private": true }')
  }

  write(file: string, text: string): string {
    const path = join(this.directory, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  /**
   * Makes the wanted packages dependencies, and takes whatever they need of the workspace from its tarballs too.
   * @param tarballs by package name
   */
  declare(wanted: readonly string[], tarballs: ReadonlyMap<string, string>): void {
    const file = (name: string) => `file:${tarballs.get(name)}`
    const overrides = Object.fromEntries(
      [...tarballs.keys()].filter((name) => !wanted.includes(name)).map((name) => [name, file(name)]),
    )
    const dependencies = Object.fromEntries(wanted.map((name) => [name, file(name)]))
    this.write('package.json', JSON.stringify({ private: true, dependencies, overrides }))
  }

  /** Installs the wanted packages: see {@link declare}. */
  install(wanted: readonly string[], tarballs: ReadonlyMap<string, string>): void {
    this.declare(wanted, tarballs)
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Runs a program of the project under plain Node.js. */
  run(file: string, deadlineMs = 30_000): ProgramResult {
    return spawnSync(process.execPath, [join(this.directory, file)], {
      cwd: this.directory,
      encoding: 'utf8',
      timeout: deadlineMs,
      env: { ...process.env, NODE_OPTIONS: '' },
    })
  }

  /** Type-checks files of the project as strictly as a user can, with Node's own module resolution. */
  typeCheck(...files: string[]): ProgramResult {
    const options = {
      compilerOptions: {
        strict: true,
        noEmit: true,
        module: 'NodeNext',
        target: 'ES2022',
        lib: ['ES2023', 'ESNext.Disposable'],
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
      },
      files,
    }
    const project = this.write('tsconfig.json', JSON.stringify(options))
    return spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], {
      cwd: this.directory,
      encoding: 'utf8',
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
