/** The command `netts` in a process of its own, and what its tests connect it with. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LoopbackSettings, loopbackEnvironment } from '@netts/loopback'
import { afterAll, afterEach } from 'vitest'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
/** For what a test file needs. */
export const folder = mkdtempSync(join(tmpdir(), 'netts-cli-'))
const running = new Set<ChildProcess>()
afterEach(async () => {
  for (const child of running) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A command that runs. */
export interface Netts {
  readonly child: ChildProcess
  /** What it printed so far. */
  readonly printed: { stdout: string; stderr: string }
  readonly ended: Promise<number | null>
  /** Waits for something on its standard output. */
  until(pattern: RegExp): Promise<RegExpExecArray>
}

/** Starts the command; what runs at the end of a test is killed. */
export function netts(args: readonly string[], settings: LoopbackSettings = {}): Netts {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['--conditions=@netts/source', '--import', 'tsx', MAIN, ...args], {
    env: { ...env, ...loopbackEnvironment(settings) },
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

/** A plain server that sends back what it gets. */
export async function echoServer(): Promise<net.Server> {
  const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

export const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port
