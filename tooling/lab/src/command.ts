/** A command that runs on a host, be it a guest or this machine. */
import { LabError } from './progress.js'

/** How a command ended. Exactly one of `status` and `signal` is not null. */
export interface CommandResult {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  /** All it wrote, as UTF-8; empty where a sink took it. */
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  /** @default the current directory */
  cwd?: string
  /** Variables beside those of this process and the lab's own. */
  env?: Readonly<Record<string, string>>
  /** Bytes for its standard input, which then ends. @default no input */
  input?: string | Uint8Array
  /** Leaves standard input open for {@link Command.write} and {@link Command.end}. @default false */
  interactive?: boolean
  /** After this long it is killed and `result` rejects; 0 means never. @default 600_000 */
  timeoutMs?: number
  /** Takes standard output instead of `result.stdout`; a promise holds the command back until it resolves. */
  onStdout?: OutputSink
  /** Takes standard error instead of `result.stderr`. */
  onStderr?: OutputSink
}

export type OutputSink = (chunk: Buffer) => void | Promise<void>

/** Input goes to the command in pieces of this size. */
const INPUT_CHUNK_BYTES = 65_536

/** A running command. */
export interface Command {
  /** How it ended, once all of its output arrived. Rejects when it could not start, or its host ended first. */
  readonly result: Promise<CommandResult>
  /** What it wrote so far. */
  readonly stdout: string
  readonly stderr: string
  /**
   * Resolves with the match once its standard output or error (one after the other) matches; rejects when it
   * ended without, or after `timeoutMs` (default 60_000).
   */
  output(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
  /** Sends a signal to its whole process group. */
  kill(signal?: NodeJS.Signals): void
  /** Stops its processes where they are (SIGSTOP); the kernel and its RDMA stack go on. */
  freeze(): void
  /** Continues them (SIGCONT). */
  thaw(): void
  write(data: string | Uint8Array): void
  /** Ends its standard input. */
  end(): void
}

/** What a command needs of the host it runs on. */
export interface CommandTransport {
  input(payload: Uint8Array): void
  signal(signal: NodeJS.Signals): void
}

/** The host's side of a command: what its host reports goes in here. */
export interface CommandController {
  readonly command: Command
  stdout(chunk: Buffer): void | Promise<void>
  stderr(chunk: Buffer): void | Promise<void>
  exited(status: number | null, signal: NodeJS.Signals | null): void
  /** It could not be started. */
  refused(reason: string): void
  /** Its host ended. */
  lost(error: Error): void
}

export function createCommand(
  name: string,
  transport: CommandTransport,
  options: CommandOptions,
): CommandController {
  const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  const text = (which: 'stdout' | 'stderr') => Buffer.concat(kept[which]).toString()
  const watchers = new Set<() => void>()
  const notify = () => {
    for (const watcher of [...watchers]) watcher()
  }
  let settled = false
  let timedOut = false
  const timeoutMs = options.timeoutMs ?? 600_000
  const deadline =
    timeoutMs > 0
      ? setTimeout(() => {
          timedOut = true
          transport.signal('SIGKILL')
        }, timeoutMs)
      : undefined

  let resolve!: (result: CommandResult) => void
  let reject!: (error: Error) => void
  const result = new Promise<CommandResult>((yes, no) => {
    resolve = yes
    reject = no
  })
  result.catch(() => {}) // whoever cares awaits it; a power cut must not crash the script
  const settle = (action: () => void) => {
    if (settled) return
    settled = true
    clearTimeout(deadline)
    action()
    notify()
  }
  const sink = (which: 'stdout' | 'stderr', take: OutputSink | undefined) => (chunk: Buffer) => {
    if (take) return take(chunk)
    kept[which].push(chunk)
    notify()
  }

  const command: Command = {
    result,
    get stdout() {
      return text('stdout')
    },
    get stderr() {
      return text('stderr')
    },
    output: (pattern, within = 60_000) =>
      new Promise((matched, failed) => {
        const stop = (error: LabError) => {
          watchers.delete(look)
          clearTimeout(timer)
          failed(error)
        }
        const look = () => {
          const match = pattern.exec(`${text('stdout')}\n${text('stderr')}`)
          if (match) {
            watchers.delete(look)
            clearTimeout(timer)
            matched(match)
          } else if (settled)
            stop(new LabError(`${name} ended without output matching ${pattern}: ${describe()}`))
        }
        const describe = () => `${text('stdout')}\n${text('stderr')}`.trim()
        const timer = setTimeout(
          () =>
            stop(new LabError(`${name}: no output matching ${pattern} within ${within} ms: ${describe()}`)),
          within,
        )
        watchers.add(look)
        look()
      }),
    kill: (signal = 'SIGTERM') => transport.signal(signal),
    freeze: () => transport.signal('SIGSTOP'),
    thaw: () => transport.signal('SIGCONT'),
    write: (data) => {
      const bytes = Buffer.from(data as string) // Buffer.from takes bytes just as well
      for (let offset = 0; offset < bytes.byteLength; offset += INPUT_CHUNK_BYTES) {
        transport.input(bytes.subarray(offset, offset + INPUT_CHUNK_BYTES))
      }
    },
    end: () => transport.input(Buffer.alloc(0)),
  }
  return {
    command,
    stdout: sink('stdout', options.onStdout),
    stderr: sink('stderr', options.onStderr),
    exited: (status, signal) =>
      settle(() => {
        if (timedOut) reject(new LabError(`${name} was killed after its deadline of ${timeoutMs} ms`))
        else resolve({ status, signal, stdout: text('stdout'), stderr: text('stderr') })
      }),
    refused: (reason) => settle(() => reject(new LabError(`${name}: ${reason}`))),
    lost: (error) => settle(() => reject(error)),
  }
}
