/** `netts bench`: measures a connection to `netts echo`, for several message sizes. */
import { type Connection, connect } from '@netts/core'
import { Command, InvalidArgumentError } from 'commander'
import { endpoint, integer } from '../arguments.js'
import { driverFor } from '../drivers.js'
import { formatEndpoint, type TunnelEndpoint } from '../endpoint.js'
import { formatMicroseconds, formatRate, renderTable } from '../output/format.js'
import { showProgress } from '../output/progress.js'
import { roundTrips, type Throughput, throughput } from './measure.js'
import type { Times } from './percentiles.js'

interface BenchArguments {
  readonly sizes: readonly number[]
  readonly depth: number
  readonly duration: number
  readonly timeout: number
  readonly json?: boolean
  readonly quiet?: boolean
}

const MOST_BYTES = 16 << 20
/** How long to send before the measurement, for compilers and TCP windows, in milliseconds. */
const WARM_UP_MS = 200

function sizes(text: string): number[] {
  const parse = integer(1, MOST_BYTES)
  if (text === '') throw new InvalidArgumentError('it is a list of numbers of bytes, such as 64,4096.')
  return text.split(',').map(parse)
}

/** Makes the command. */
export function benchCommand(): Command {
  return new Command('bench')
    .description('measure round trips and throughput with a netts echo')
    .argument('<address>', 'the address of netts echo', endpoint)
    .option('--sizes <bytes>', 'the message sizes to measure', sizes, [64, 4096, 65_536, 1 << 20])
    .option(
      '--depth <n>',
      'how many messages are in flight at the same time, for throughput',
      integer(1, 65_536),
      32,
    )
    .option('--duration <ms>', 'how long each measurement takes', integer(1, 3_600_000), 1000)
    .option(
      '--timeout <ms>',
      'how long connecting may take, and how long nothing may arrive',
      integer(1, 3_600_000),
      10_000,
    )
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'show no progress')
    .addHelpText(
      'after',
      `
Every byte that comes back is compared. Throughput counts one direction; the same amount comes back. If both ends run on
one machine, they share its processors.`,
    )
    .action(runBench)
}

/** The results for one message size. */
interface Row extends Throughput {
  readonly bytes: number
  readonly roundTripMicroseconds: Times
}

async function runBench(address: TunnelEndpoint, options: BenchArguments): Promise<void> {
  const { depth, duration, timeout, json, quiet } = options
  const connection = await connect(await driverFor(address.scheme), address.address, {
    timeoutMs: timeout,
    stallTimeoutMs: timeout,
  })
  const steps = options.sizes.flatMap((bytes) => [
    `round trips of ${bytes} bytes`,
    `${bytes} bytes, ${depth} at a time`,
  ])
  const progress = showProgress('bench', steps.length * duration, quiet)
  const signal = standstill(connection, timeout)
  const rows: Row[] = []
  try {
    for (const [index, bytes] of options.sizes.entries()) {
      rows.push(await measure(connection, bytes, index))
    }
    await connection.close()
  } finally {
    progress.stop()
    connection.destroy()
  }
  if (json) console.log(JSON.stringify({ address: formatEndpoint(address), depth, rows }, undefined, 2))
  else console.log(render(rows))

  async function measure(connection: Connection, bytes: number, index: number): Promise<Row> {
    const message = Buffer.alloc(bytes, 'netts')
    const onProgress = (step: number) => (elapsedMs: number) => progress.done(step * duration + elapsedMs)
    progress.step(steps[2 * index]!)
    await roundTrips(connection, message, { durationMs: Math.min(WARM_UP_MS, duration), signal })
    const times = await roundTrips(connection, message, {
      durationMs: duration,
      signal,
      onProgress: onProgress(2 * index),
    })
    progress.step(steps[2 * index + 1]!)
    const through = await throughput(connection, message, depth, {
      durationMs: duration,
      signal,
      onProgress: onProgress(2 * index + 1),
    })
    return { bytes, roundTripMicroseconds: times, ...through }
  }
}

/** Aborts when nothing has arrived for `timeoutMs`. A slow message does not abort it. */
function standstill(connection: Connection, timeoutMs: number): AbortSignal {
  const controller = new AbortController()
  let seen = -1
  const look = () => {
    const { bytesReceived, chunksReceived } = connection.stats
    const now = bytesReceived + chunksReceived
    if (connection.state === 'closed') return
    if (now === seen)
      return controller.abort(new DOMException(`nothing arrived for ${timeoutMs} ms`, 'TimeoutError'))
    seen = now
    setTimeout(look, timeoutMs).unref()
  }
  look()
  return controller.signal
}

function render(rows: readonly Row[]): string {
  return renderTable(
    ['bytes', 'round trip p50', 'p99', 'messages/s', 'one way'],
    rows.map(({ bytes, roundTripMicroseconds: { p50, p99 }, messagesPerSecond, bytesPerSecond }) => [
      bytes.toLocaleString('en'),
      formatMicroseconds(p50),
      formatMicroseconds(p99),
      Math.round(messagesPerSecond).toLocaleString('en'),
      formatRate(bytesPerSecond),
    ]),
  )
}
