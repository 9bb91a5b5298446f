/** An empty project outside of the repository, in which packed packages are used as a user would. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** TypeScript, by the name under which this workspace has it. */
export type Compiler = 'typescript' | 'typescript-5.4' | 'typescript-5.9' | 'typescript-7'

const IDENTITY = { name: 'scratch', version: '0.0.0', private: true }
const modules = createRequire(import.meta.url)

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
    this.write('package.json', JSON.stringify(IDENTITY))
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
   * @param others dependencies from the registry
   */
  declare(
    wanted: readonly string[],
    tarballs: ReadonlyMap<string, string>,
    others: Readonly<Record<string, string>> = {},
  ): void {
    const file = (name: string) => `file:${tarballs.get(name)}`
    const every = Object.fromEntries([...tarballs.keys()].map((name) => [name, file(name)]))
    // npm refuses overrides of what is a dependency itself.
    const overrides = Object.fromEntries(Object.entries(every).filter(([name]) => !wanted.includes(name)))
    const own = Object.fromEntries(wanted.map((name) => [name, file(name)]))
    const dependencies = { ...own, ...others }
    // Each package manager reads one of these.
    const replaced = { overrides, pnpm: { overrides: every }, resolutions: every }
    this.write('package.json', JSON.stringify({ ...IDENTITY, dependencies, ...replaced }))
  }

  /** Installs the wanted packages: see {@link declare}. */
  install(
    wanted: readonly string[],
    tarballs: ReadonlyMap<string, string>,
    others: Readonly<Record<string, string>> = {},
  ): void {
    this.declare(wanted, tarballs, others)
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Runs a program under plain Node.js: a file of the project, or one with a path of its own. */
  run(
    file: string,
    args: readonly string[] = [],
    deadlineMs = 30_000,
    env: Readonly<Record<string, string>> = {},
  ): ProgramResult {
    return spawnSync(process.execPath, [resolve(this.directory, file), ...args], {
      cwd: this.directory,
      encoding: 'utf8',
      timeout: deadlineMs,
      // A NODE_PATH would let it find this workspace's packages.
      env: { ...process.env, NODE_OPTIONS: '', NODE_PATH: '', ...env },
    })
  }

  /** Runs a compiler of this workspace in a folder of the project. */
  tsc(compiler: Compiler, args: readonly string[], folder = '.'): ProgramResult {
    const program = join(dirname(modules.resolve(`${compiler}/package.json`)), 'bin/tsc')
    return spawnSync(process.execPath, [program, ...args], {
      cwd: join(this.directory, folder),
      encoding: 'utf8',
    })
  }

  /**
   * Writes a `tsconfig.json`: as strict as a user's can be, with nothing of Node.js but what packages bring.
   * @param options compiler options that differ
   */
  configure(folder: string, files: readonly string[], options: Record<string, unknown> = {}): void {
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2022', 'esnext.disposable'],
      types: [],
      ...options,
    }
    this.write(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  }

  /** Type-checks files of the project: see {@link configure}. With the newest compiler, which is by far the fastest. */
  typeCheck(...files: string[]): ProgramResult {
    this.configure('.', files)
    return this.tsc('typescript-7', ['-p', '.'])
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}
