/** Runs the host's own tools (apt, make, tar …) for preparing a guest, with their output kept for a failure. */
import { spawn } from 'node:child_process'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LabError, type Progress, withHeartbeat } from '../progress.js'
import { cacheFolder, temporaryFolder } from './cache.js'

export interface ShellOptions {
  cwd?: string
  /** After this long the tool is killed and the step fails. @default 600_000 */
  timeoutMs?: number
  env?: NodeJS.ProcessEnv
}

/** Runs a tool to its end and returns its standard output; a failure carries the end of what it printed. */
export async function runTool(
  argv: readonly [string, ...string[]],
  options: ShellOptions = {},
): Promise<string> {
  // The tool dies with us, so that an interrupted preparation leaves nothing running.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 600_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let tail = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    tail = (tail + text).slice(-4_000)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4_000)
  })
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, name) => resolve([code, name]))
  })
  if (status === 0) return stdout
  throw new LabError(`${argv.join(' ')} failed (${signal ?? `exit status ${status}`}):\n${tail.trim()}`)
}

/** Downloads Debian packages and unpacks them below `target`, without installing anything. */
export async function unpackPackages(
  packages: readonly string[],
  target: string,
  label: string,
  progress: Progress,
): Promise<void> {
  await mkdir(target, { recursive: true })
  await using downloads = await temporaryFolder()
  const folder = downloads.path
  const download = ['apt-get', 'download', '-q', '-o', 'Acquire::Retries=3'] as const
  // Lines of 'URI' file-name byte-length hash.
  const uris = await runTool([...download, '--print-uris', ...packages], { cwd: folder })
  const total = [...uris.matchAll(/^'\S+' \S+ (\d+) /gm)].reduce((sum, [, size]) => sum + Number(size), 0)
  const percentage = async () => {
    const sizes = (await readdir(folder)).map(async (file) => (await stat(join(folder, file))).size)
    const arrived = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    return `${Math.floor((100 * arrived) / total)} %`
  }
  await withHeartbeat(
    progress,
    `downloading ${label} (${Math.ceil(total / 1e6)} MB, once; kept in ${cacheFolder()})`,
    async () => await runTool([...download, ...packages], { cwd: folder }),
    percentage,
  )
  for (const file of await readdir(folder)) await runTool(['dpkg', '-x', join(folder, file), target])
}
