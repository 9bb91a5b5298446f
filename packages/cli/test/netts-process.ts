/** `netts` as an operator starts it, from its sources, with the loopback device for RDMA. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '@netts/lab'
import { type LoopbackSettings, loopbackEnvironment } from '@netts/loopback'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const running = new Set<ChildProcess>()

let bundled: Promise<string> | undefined

/** The command and arguments with which it is started: as one file, which starts in a fraction of the time. */
export async function nettsCommand(): Promise<readonly string[]> {
  bundled ??= bundle(MAIN).then((program) => {
    const folder = mkdtempSync(join(tmpdir(), 'netts-cli-program-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'netts.mjs')
    writeFileSync(path, program)
    return path
  })
  return [process.execPath, await bundled]
}

/** A process of it. */
export interface Netts {
  readonly child: ChildProcess
  /** What it printed so far. */
  readonly printed: { stdout: string; stderr: string }
  readonly ended: Promise<number | null>
  /** Waits for something on its standard output. */
  until(pattern: RegExp): Promise<RegExpExecArray>
}

/**
 * Starts it.
 * @param added to its environment
 * @param device how the loopback device behaves
 */
export async function netts(
  args: readonly string[],
  added: Readonly<Record<string, string>> = {},
  device: LoopbackSettings = {},
): Promise<Netts> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const [command, ...first] = await nettsCommand()
  const child = spawn(command!, [...first, ...args], {
    env: { ...env, ...loopbackEnvironment(device), ...added },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const printed = { stdout: '', stderr: '' }
  child.stdout.on('data', (data: Buffer) => {
    printed.stdout += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    printed.stderr += data.toString()
  })
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', () => running.delete(child))
    child.once('close', resolve)
  })
  return {
    child,
    printed,
    ended,
    async until(pattern) {
      for (;;) {
        const found = pattern.exec(printed.stdout)
        if (found) return found
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${printed.stderr}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
}

/** Ends those that a test left. */
export async function endAll(): Promise<void> {
  for (const child of running) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}
