/**
 * What a process or worker is in the midst of when it ends. Nothing of it is closed: that is the point.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { openVerbs } from '../../lib/addon/open-verbs.js'
import { AccessFlag, SendFlag, SendOpcode } from '../../lib/verbs/layout.js'
import { type Bench, EventLog } from '../device-suite/bench.js'
import { connectPair, End, listen, type Pair, resolve } from '../device-suite/pair.js'
import type { LabDevice } from './devices.js'

/** How far a scenario gets. */
export const STAGES = [
  'opened',
  'registering',
  'registered',
  'created',
  'resolving',
  'resolved',
  'connecting',
  'connected',
  'posted',
  'transferring',
  'closing',
] as const
export type Stage = (typeof STAGES)[number]

/** How it ends then. */
export const ENDINGS = ['nothing-left', 'exit', 'throw'] as const
export type Ending = (typeof ENDINGS)[number]

/** A scenario, as it is handed to the process or worker that plays it. */
export interface Scenario {
  readonly stage: Stage
  /** `wait` goes on until somebody ends it. */
  readonly ending: Ending | 'wait'
  readonly device: LabDevice
}

/**
 * Plays the scenario that this process or worker was started for. The test files are their own child processes and
 * workers.
 * @returns false in the process that runs the tests
 */
export async function playScenario(): Promise<boolean> {
  const inherited = isMainThread ? process.env.NETTS_SCENARIO : (workerData as string)
  if (inherited === undefined) return false
  const { stage, ending, device } = JSON.parse(inherited) as Scenario
  await reach(stage, device)
  if (isMainThread) process.stdout.write('reached')
  else parentPort!.postMessage('reached')
  if (ending === 'wait') setInterval(() => {}, 1000)
  // The throw must not be a rejection of the module that awaits this.
  else setImmediate(() => end(ending))
  return true
}

/** Kept to the very end, so that nothing is collected before. */
const kept: unknown[] = []

export function benchOn(device: LabDevice): Bench {
  const verbs = openVerbs()
  return { client: verbs, server: verbs, serverHost: device.address, settle: (promise) => promise }
}

/** Goes as far as the stage, and returns with everything open and in progress. */
async function reach(stage: Stage, device: LabDevice): Promise<void> {
  const bench = benchOn(device)
  const { client } = bench
  kept.push(bench, client.devices())
  switch (stage) {
    case 'opened':
      return
    case 'registering':
    case 'registered': {
      const domain = client.devices()[0]!.allocateProtectionDomain()
      const region = domain.registerRegionAsync({ byteLength: 64 << 20 })
      kept.push(domain, region)
      if (stage === 'registered') await region
      else region.catch(() => {})
      return
    }
    case 'created':
    case 'resolving': {
      const id = client.createCmId()
      kept.push(id)
      if (stage === 'created') return
      id.resolveAddress({ destination: { host: device.address, port: 1 }, timeoutMs: 2000 })
      return
    }
    case 'resolved':
    case 'connecting': {
      const listener = listen(bench)
      const end = new End(client, await resolve(bench, listener.id.localAddress!.port))
      kept.push(listener, end)
      if (stage === 'connecting') end.id.connect()
      return
    }
    default: {
      const pair = await connectPair(bench, {
        server: { access: AccessFlag.localWrite | AccessFlag.remoteWrite },
      })
      kept.push(pair)
      if (stage === 'connected') return
      pair.server.receive(...Array.from({ length: 16 }, () => ({})))
      if (stage === 'posted') return
      transfer(pair)
      if (stage === 'closing') pair.client.id.disconnect()
    }
  }
}

/** Keeps sixteen Writes in flight for as long as the environment lives. */
function transfer({ client, server }: Pair): void {
  const write = {
    opcode: SendOpcode.write,
    flags: SendFlag.signalled,
    entries: [{ region: client.region, byteLength: 32_768 }],
    remoteAddress: server.region.remoteAddress,
    remoteKey: server.region.remoteKey,
  }
  const post = (count: number) => client.send(...Array.from({ length: count }, () => write))
  post(16)
  setInterval(() => {
    const completed = client.completions.poll().splice(0).length
    if (completed > 0) post(completed)
  }, 1).unref()
}

/** Ends this environment. What keeps it alive is let go of first, for `nothing-left`. */
function end(ending: Ending): void {
  if (ending === 'exit') process.exit(0)
  if (ending === 'throw') throw new Error('on purpose')
  for (const entry of kept) {
    if (entry instanceof EventLog) entry.id.unref()
    if (entry instanceof End) letGo(entry)
    if (isPair(entry)) [entry.client, entry.server].forEach(letGo)
  }
}

function letGo(end: End): void {
  end.id.unref()
  end.channel.unref()
}

function isPair(entry: unknown): entry is Pair {
  return typeof entry === 'object' && entry !== null && 'requestData' in entry
}
