/** Conducts one run: starts the worker processes, opens and closes the measured window, checks totals. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelContender } from '../contenders/contender.js'
import type { RunSpec } from '../spec.js'
import type { SideSample } from './protocol.js'
import { WorkerProcess } from './worker-process.js'

/** How a run is timed. */
export interface Timing {
  readonly warmupMs: number
  readonly measureMs: number
  /** A folder that gets a processor profile of each worker. */
  readonly profiles?: string | undefined
}

/** What both sides measured. */
export interface RunSample {
  readonly server: SideSample
  readonly client: SideSample
}

/** Traffic of which memory is asked: the window is open around its start, which ends once everything arrived. */
const ASKS_FOR_MEMORY: readonly RunSpec['traffic'][] = ['idle', 'broadcast']

/** Nothing happens but keepalive, which by default asks every 6.25 s: the window holds two rounds of it, whenever it begins. */
const QUIET_MS = 12_500

/** The young generation grows to dozens of MiB whatever the number of connections; that is not what is asked. */
const MEMORY_FLAGS = ['--expose-gc', '--max-semi-space-size=1']

/**
 * Runs one contender at one point.
 *
 * Rejects when a worker fails, a payload is wrong, or the totals of both ends differ.
 * @param entryPoint the bundled worker
 */
export async function conduct(
  spec: RunSpec,
  { processes, environment }: Pick<ChannelContender, 'processes' | 'environment'>,
  timing: Timing,
  entryPoint: string,
): Promise<RunSample> {
  const asksForMemory = ASKS_FOR_MEMORY.includes(spec.traffic)
  const execArgv = [
    ...(asksForMemory ? MEMORY_FLAGS : []),
    ...(timing.profiles
      ? ['--cpu-prof', '--cpu-prof-interval=200', `--cpu-prof-dir=${timing.profiles}`]
      : []),
  ]
  const serverProcess = new WorkerProcess(entryPoint, execArgv, environment?.())
  const clientProcess =
    processes === 1 ? serverProcess : new WorkerProcess(entryPoint, execArgv, environment?.())
  const workers = new Set([serverProcess, clientProcess])
  try {
    const endpoints = await serverProcess.call('server', 'open', spec)
    await clientProcess.call('client', 'open', spec, endpoints)
    const begin = () =>
      Promise.all([serverProcess.call('server', 'begin'), clientProcess.call('client', 'begin')])
    const start = async () => {
      await serverProcess.call('server', 'start')
      await clientProcess.call('client', 'start')
    }
    if (asksForMemory) {
      await begin()
      await start()
    } else {
      await start()
      await sleep(timing.warmupMs)
      await begin()
      await sleep(spec.traffic === 'quiet' ? QUIET_MS : timing.measureMs)
    }
    const [server, client] = await Promise.all([
      serverProcess.call('server', 'end'),
      clientProcess.call('client', 'end'),
    ])
    const total = await clientProcess.call('client', 'stop')
    await serverProcess.call('server', 'settle', total)
    await clientProcess.call('client', 'close')
    await serverProcess.call('server', 'close')
    for (const { failure } of workers) if (failure) throw failure
    return { server, client }
  } finally {
    await Promise.all([...workers].map((worker) => worker.end()))
  }
}
