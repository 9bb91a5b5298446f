/** A worker process as the conductor sees it: commands that become promises. */
import { type ChildProcess, fork } from 'node:child_process'
import type { CommandName, Commands, SideName, WorkerMessage } from './protocol.js'

/** A command that takes longer has hung; idle connections by the thousand need the most. */
const COMMAND_TIMEOUT_MS = 60_000

interface Pending {
  resolve(result: unknown): void
  reject(error: Error): void
}

/** One forked worker. The first failure ends it and rejects every command. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #pending = new Map<string, Pending>()
  readonly #exited: Promise<void>
  #failure: Error | undefined
  #stderr = ''

  constructor(
    entryPoint: string,
    execArgv: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.#child = fork(entryPoint, [], {
      execArgv: [...execArgv],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...environment, NODE_OPTIONS: '' },
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + String(chunk)).slice(-4000)
    })
    this.#child.on('message', (message: WorkerMessage) => this.#hear(message))
    this.#child.on('error', (error) => this.#fail(error))
    this.#exited = new Promise((resolve) => {
      // Not 'close': that one never comes after a disconnect from this end.
      this.#child.once('exit', (code, signal) => {
        const ended = () => {
          this.#fail(new Error(`the worker ended with ${signal ?? `status ${code}`}\n${this.#stderr}`.trim()))
          resolve()
        }
        if (this.#child.stderr?.readableEnded === false) this.#child.stderr.once('end', ended)
        else ended()
      })
    })
  }

  #hear(message: WorkerMessage): void {
    if ('failure' in message) {
      const error = new Error(message.failure.message)
      error.name = message.failure.name
      if (message.failure.stack) error.stack = message.failure.stack
      this.#fail(error)
      return
    }
    const key = `${message.side}.${message.name}`
    this.#pending.get(key)?.resolve(message.result)
    this.#pending.delete(key)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#pending.values()) reject(this.#failure)
    this.#pending.clear()
  }

  /** What went wrong so far, asked for or not. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Gives a command and waits for its reply. */
  call<N extends CommandName>(
    side: SideName,
    name: N,
    ...args: Parameters<Commands[N]>
  ): Promise<ReturnType<Commands[N]>> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#fail(new Error(`the ${side} did not answer "${name}" within ${COMMAND_TIMEOUT_MS} ms`)),
        COMMAND_TIMEOUT_MS,
      )
      this.#pending.set(`${side}.${name}`, {
        resolve: (result) => {
          clearTimeout(timer)
          resolve(result as ReturnType<Commands[N]>)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.#child.send({ side, name, args })
    })
  }

  /** Ends the process. */
  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 1000)
    await this.#exited
    clearTimeout(timer)
  }
}
