/** What takes part over the loopback provider: a C program, and the RDMA drivers over the real addon. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { loopbackEnvironment, loopbackIsMissing, pingpongProgram } from '@netts/loopback'
import type { RunSpec } from '../spec.js'
import type { ChannelContender, Contender, ProgramContender } from './contender.js'
import { inPackage } from './in-package.js'
import { connectionOf, drivers, type Polling, transportOf } from './rdma-drivers.js'

const environment = () => loopbackEnvironment({ latencyNs: 1000 })

async function missingProvider(): Promise<string | undefined> {
  if (!loopbackIsMissing()) return undefined
  return 'the loopback provider was not built here (npx pnpm --filter @netts/loopback build:native)'
}

/** A tenth of a second of round trips, where the machine has two idle cores. */
const ITERATIONS = { polling: 50_000, events: 2000 }

/** What one end of the C program prints. */
interface Printed {
  readonly [figure: string]: number
}

async function pingpong(byteLength: number, events: boolean): Promise<{ server: Printed; client: Printed }> {
  const env = { ...process.env, ...environment() }
  const args = [`${events ? ITERATIONS.events : ITERATIONS.polling}`, `${byteLength}`]
  if (events) args.push('events')
  const serving = spawn(pingpongProgram(), ['server', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  })
  try {
    const ended = once(serving, 'exit')
    const lines = createInterface(serving.stdout)[Symbol.asyncIterator]()
    const { value: port } = await lines.next()
    const { stdout } = await promisify(execFile)(pingpongProgram(), ['client', port, ...args], { env })
    const { value: printed } = await lines.next()
    const [status] = await ended
    if (status !== 0) throw new Error(`the server of pingpong ended with status ${status}`)
    return { server: JSON.parse(printed), client: JSON.parse(stdout) }
  } finally {
    serving.kill()
  }
}

function inC(events: boolean): ProgramContender {
  return {
    id: events ? 'loopback-c-events' : 'loopback-c',
    title: events ? 'C, events' : 'C',
    about: `a C program over the loopback provider, ${events ? 'sleeping until events' : 'polling busily'}; the client checks every answer`,
    unavailable: missingProvider,
    async run({ byteLength }: RunSpec) {
      const { server, client } = await pingpong(byteLength, events)
      const ns = (microseconds: number | undefined) => (microseconds as number) * 1000
      return {
        p50: ns(client.p50Us),
        p99: ns(client.p99Us),
        mean: ns(client.meanUs),
        rate: 1e9 / ns(client.meanUs),
        cpuClient: ns(client.processorUs),
        cpuServer: ns(server.processorUs),
      }
    },
  }
}

async function whyUnavailable(): Promise<string | undefined> {
  const missing = await missingProvider()
  if (missing !== undefined) return missing
  const { rdmaAvailability } = await import('@netts/verbs')
  const found = rdmaAvailability()
  return !found.available && found.reason === 'addon-missing' ? found.message : undefined
}

function over(contender: ChannelContender): ChannelContender {
  return {
    ...contender,
    id: `loopback-${contender.id}`,
    title: `${contender.title}, loopback`,
    about: `over the loopback provider: ${contender.about}`,
    environment,
    unavailable: whyUnavailable,
  }
}

/** Both ends in one process, over a wire that takes no time. */
function inOneProcess(contender: ChannelContender): ProgramContender {
  const { id, title, about } = over(contender)
  return {
    id: `${id}-processor`,
    title,
    about: `both ends in one process and a wire that takes no time, ${about}`,
    unavailable: whyUnavailable,
    async run({ byteLength }) {
      const env = { ...process.env, ...loopbackEnvironment({ latencyNs: 0 }) }
      const program = inPackage('dist/processor-cost.js')
      const { stdout } = await promisify(execFile)(process.execPath, [program, id, `${byteLength}`], { env })
      return JSON.parse(stdout) as Record<string, number>
    },
  }
}

const POLLING: readonly Polling[] = ['busy', 'adaptive', 'event']

export const loopback: readonly Contender[] = [
  inC(false),
  inC(true),
  ...drivers.flatMap((driver) =>
    [
      ...POLLING.map((polling) => transportOf(driver, polling)),
      ...POLLING.map((polling) => connectionOf(driver, polling, 'lease')),
      connectionOf(driver, 'busy', 'await'),
      connectionOf(driver, 'busy', 'callback'),
    ].map(over),
  ),
  ...drivers.flatMap((driver) =>
    [
      transportOf(driver, 'busy'),
      connectionOf(driver, 'busy', 'lease'),
      connectionOf(driver, 'busy', 'await'),
      connectionOf(driver, 'busy', 'callback'),
    ].map(inOneProcess),
  ),
]
