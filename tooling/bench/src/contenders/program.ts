/** Runs a measuring program: its server, and its client against that. */
import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The client is tried again until the server listens. */
const ATTEMPTS = 30
const RETRY_MS = 300
/** A program that takes longer has hung. */
const TIMEOUT_MS = 120_000

/** @returns the client's standard output; rejects with what it said when it never succeeded */
export async function runPair(server: readonly string[], client: readonly string[]): Promise<string> {
  const serving = start(server)
  try {
    for (let attempt = 1; ; attempt++) {
      const result = await start(client).ended
      if (result.status === 0) return result.stdout
      if (attempt === ATTEMPTS) throw new Error(`${client.join(' ')}: ${result.stderr || result.stdout}`)
      await sleep(RETRY_MS)
    }
  } finally {
    serving.kill()
    await serving.ended
  }
}

function start([program = '', ...args]: readonly string[]) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += String(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += String(chunk)
  })
  const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
  })
  return { ended, kill: () => child.kill('SIGKILL') }
}

/** @returns why these programs can't run here; `undefined` when they can */
export async function missing(programs: readonly string[], packageName: string): Promise<string | undefined> {
  for (const program of programs) {
    const places = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, program))
    const found = await Promise.all(
      places.map((path) =>
        access(path, constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
    )
    if (!found.includes(true)) return `${program} is not installed (Debian package ${packageName})`
  }
  return undefined
}
