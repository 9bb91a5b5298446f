/**
 * What a fresh clone needs before TypeScript can run: a Node.js that is new enough, and the
 * dependencies of the lock file. Plain JavaScript, because nothing else is there yet.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))

/**
 * Runs a command in the repository; resolves to its exit status.
 * @param output where what it prints goes: `inherit`, `stderr` (all of it) or `ignore`
 */
export function run(command, args, output = 'inherit') {
  const stdio = { inherit: 'inherit', stderr: ['ignore', 2, 2], ignore: 'ignore' }[output]
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio })
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(signal ? 1 : code))
  })
}

/** Runs a TypeScript file of this workspace from its sources. */
export function runTypeScript(file, args) {
  return run(process.execPath, ['--conditions=@netts/source', '--import', 'tsx', file, ...args])
}

/** Makes the clone ready, or ends the process with what is missing. */
export async function bootstrap() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`netts needs Node.js 20.19 or newer; this is ${process.versions.node}`)
  }
  if (isInstalled()) return
  console.error('Installing dependencies…')
  // The one package manager that the lock file is for, without a global install and without corepack.
  const status = await run(
    'npx',
    ['--yes', manifest.packageManager, 'install', '--frozen-lockfile'],
    'stderr',
  )
  if (status !== 0) fail('The dependencies could not be installed; the output above says why.')
}

/** pnpm leaves a copy of the lock file that it installed; when it is the present one, nothing is to be done. */
function isInstalled() {
  try {
    return readFileSync(`${root}node_modules/.pnpm/lock.yaml`).equals(readFileSync(`${root}pnpm-lock.yaml`))
  } catch {
    return false
  }
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
