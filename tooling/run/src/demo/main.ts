/**
 * `npm start`: a server in one process, a client in another, over every transport that this machine can run;
 * every byte verified; a table at the end.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Address, type Connection, connect } from '@netts/core'
import { Command, Option } from 'commander'
import { measure } from './measure.js'
import { createProgress } from './progress.js'
import { type Row, renderTable } from './report.js'
import { type ServerMessage, startServer } from './server.js'
import { type DemoTransport, transports } from './transports.js'

const program = new Command('npm start --')
  .description(
    'Sends verified messages between two processes over every transport that this machine can run.',
  )
  .addOption(
    new Option('--transport <name...>', 'only these transports').choices(transports.map(({ name }) => name)),
  )
  .option('--json', 'print the results as JSON instead of a table')
  .parse()
const options = program.opts<{ transport?: string[]; json?: boolean }>()

const rows: Row[] = []
for (const transport of transports) {
  if (options.transport && !options.transport.includes(transport.name)) continue
  rows.push(await demonstrate(transport))
}
console.log(options.json ? JSON.stringify(rows, undefined, 2) : renderTable(rows))
if (rows.some((row) => row.outcome === 'failed')) process.exitCode = 1

async function demonstrate(transport: DemoTransport): Promise<Row> {
  const { name, title } = transport
  const reason = await transport.unavailable()
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
