/** The package managers of users: how each installs tarballs into an empty folder, and runs a program there. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ProgramResult, ScratchProject } from '../packages/scratch-project.js'

const modules = createRequire(import.meta.url)

/** A package manager. */
export interface Manager {
  readonly name: string
  /** Installs what the project declares. @throws with what it printed, when it fails */
  install(project: ScratchProject): void
  /** Runs a file of the project. */
  run(project: ScratchProject, file: string): ProgramResult
}

/** None of this workspace's settings may help: neither a NODE_PATH, nor what `npx pnpm` hands on to its children. */
function environment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_)|NODE_PATH|NODE_OPTIONS)/.test(name),
  )
  return { ...Object.fromEntries(inherited), ...extra }
}

function execute(
  project: ScratchProject,
  words: readonly string[],
  extra?: Record<string, string>,
): ProgramResult {
  const [command, ...args] = words
  return spawnSync(command!, args, {
    cwd: project.directory,
    encoding: 'utf8',
    timeout: 300_000,
    env: environment(extra),
  })
}

function must(project: ScratchProject, words: readonly string[], extra?: Record<string, string>): void {
  const { status, stdout, stderr } = execute(project, words, extra)
  if (status !== 0) throw new Error(`${words.join(' ')} failed:\n${stdout}${stderr}`)
}

const pnpmProgram = join(dirname(modules.resolve('pnpm')), 'bin/pnpm.cjs')
const yarnProgram = modules.resolve('@yarnpkg/cli-dist/bin/yarn.js')

/** Yarn reads no `.npmrc`: it is told where this machine's registry is. */
function yarnSettings(): Record<string, string> {
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
  return {
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_UNSAFE_HTTP_WHITELIST: new URL(registry).hostname,
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_ENABLE_TELEMETRY: 'false',
  }
}

/** npm with its flat `node_modules`, pnpm with links, Yarn without any `node_modules` (Plug'n'Play). */
export const MANAGERS: readonly Manager[] = [
  {
    name: 'npm',
    install: (project) => must(project, ['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error']),
    run: (project, file) => execute(project, [process.execPath, file]),
  },
  {
    name: 'pnpm',
    install: (project) =>
      must(project, [
        process.execPath,
        pnpmProgram,
        'install',
        '--silent',
        '--prefer-offline',
        '--ignore-workspace',
      ]),
    run: (project, file) => execute(project, [process.execPath, file]),
  },
  {
    name: 'yarn',
    install(project) {
      // Without a lockfile of its own, Yarn looks for a project in the folders above.
      project.write('yarn.lock', '')
      must(project, [process.execPath, yarnProgram, 'install'], yarnSettings())
    },
    run: (project, file) => execute(project, [process.execPath, yarnProgram, 'node', file], yarnSettings()),
  },
]
