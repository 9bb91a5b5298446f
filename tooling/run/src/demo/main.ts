/**
 * `npm start`: a server in one process, a client in another, over every transport that this machine can run;
 * every byte verified; a table at the end.
 */
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Address, type Connection, connect } from '@netts/core'
import { Command, Option } from 'commander'
import { mayUseLoopbackProvider, runOverLoopbackProvider } from './loopback-provider.js'
import { measure } from './measure.js'
import { createProgress } from './progress.js'
import { renderTable } from './report.js'
import type { Row } from './row.js'
import { type ServerMessage, startServer } from './server.js'
import { type DemoTransport, isEmulated, transports } from './transports.js'

const program = new Command('npm start --')
  .description(
    'Sends verified messages between two processes over every transport that this machine can run.',
  )
  .addOption(
    new Option('--transport <name...>', 'only these transports').choices(transports.map(({ name }) => name)),
  )
  .option('--json', 'print the results as JSON instead of a table')
  .option('--lab', 'in the RDMA lab: a guest with software RDMA devices, or this machine if it has its own')
  .parse()
const options = program.opts<{ transport?: string[]; json?: boolean; lab?: boolean }>()

if (options.lab) process.exitCode = await runInLab()
else process.exitCode = await demonstrateAll()

/** @returns the exit status */
async function demonstrateAll(): Promise<number> {
  const rows: Row[] = []
  for (const transport of transports) {
    if (options.transport && !options.transport.includes(transport.name)) continue
    rows.push(await demonstrate(transport))
  }
  console.log(options.json ? JSON.stringify(rows, undefined, 2) : renderTable(rows, isEmulated))
  return rows.some((row) => row.outcome === 'failed') ? 1 : 0
}

/** Runs this same program in the lab. @returns the exit status */
async function runInLab(): Promise<number> {
  const node = [process.execPath, ...process.execArgv]
  const lab = fileURLToPath(new URL('../../../lab/src/main.ts', import.meta.url))
  const again = [...node, process.argv[1]!, ...process.argv.slice(2).filter((word) => word !== '--lab')]
  const child = spawn(process.execPath, [...process.execArgv, lab, '--', ...again], { stdio: 'inherit' })
  const [status] = (await once(child, 'exit')) as [number | null]
  return status ?? 1
}

async function demonstrate(transport: DemoTransport): Promise<Row> {
  const { name, title } = transport
  const reason = await transport.unavailable()
  if (reason !== undefined && transport.needsRdma && mayUseLoopbackProvider()) {
    const row = await runOverLoopbackProvider(name)
    return row.outcome === 'unavailable'
      ? { name, title, outcome: 'unavailable', reason }
      : { ...row, loopbackBecause: reason }
  }
  if (reason !== undefined) return { name, title, outcome: 'unavailable', reason }
  const { roundTrips, smallMessages, largeMessages } = transport.amounts
  const progress = createProgress(title, roundTrips + smallMessages + largeMessages)
  try {
    const server = await (transport.separateProcess ? forkServer(transport) : startInProcess(transport))
    try {
      const open = (): Promise<Connection> => connect(transport.builder(), server.address)
      // A server that finds a damaged message ends the measurement, too.
      const result = await Promise.race([measure(open, transport.amounts, progress.add), server.failed])
      return { name, title, outcome: 'verified', ...result }
    } finally {
      await server.stop()
    }
  } catch (error) {
    return { name, title, outcome: 'failed', reason: error instanceof Error ? error.message : String(error) }
  } finally {
    progress.stop()
  }
}

interface DemoServer {
  readonly address: Address
  /** Rejects when the server meets an error. */
  readonly failed: Promise<never>
  stop(): Promise<void>
}

async function startInProcess(transport: DemoTransport): Promise<DemoServer> {
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => {})
  const { address, close } = await startServer(transport, (error) => fail(error))
  return { address, failed, stop: close }
}

async function forkServer(transport: DemoTransport): Promise<DemoServer> {
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [transport.name], {
    execArgv: process.execArgv,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const failed = new Promise<never>((_, reject) => {
    child.on('message', (message: ServerMessage) => {
      if ('error' in message) reject(new Error(message.error))
    })
    child.on('exit', (code, signal) =>
      reject(new Error(`the server ended with ${signal ?? `status ${code}`}`)),
    )
    child.on('error', reject)
  })
  failed.catch(() => {})
  const address = await Promise.race([
    failed,
    new Promise<Address>((resolve) => {
      child.on('message', (message: ServerMessage) => {
        if ('address' in message) resolve(message.address)
      })
    }),
  ])
  const stop = async () => {
    child.kill()
    await exited
  }
  return { address, failed, stop }
}
