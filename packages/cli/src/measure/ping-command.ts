/** `netts ping`: is there a netts at the other side, and how long does a message take there and back? */
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@netts/core'
import { Command } from 'commander'
import { endpoint, integer } from '../arguments.js'
import { driverFor } from '../drivers.js'
import { formatEndpoint, type TunnelEndpoint } from '../endpoint.js'
import { formatMicroseconds } from '../output/format.js'
import { roundTrip } from './measure.js'
import { timesOf } from './percentiles.js'

interface PingArguments {
  readonly count: number
  readonly interval: number
  readonly size: number
  readonly timeout: number
  readonly json?: boolean
}

/** Makes the command. */
export function pingCommand(): Command {
  return new Command('ping')
    .description('send messages to a netts echo, one after the other, and say how long each took')
    .argument('<address>', 'where netts echo listens', endpoint)
    .option('--count <n>', 'how many messages', integer(1, 1_000_000), 5)
    .option('--interval <ms>', 'from one to the next', integer(0, 3_600_000), 1000)
    .option('--size <bytes>', 'of each message', integer(1, 16 << 20), 64)
    .option(
      '--timeout <ms>',
      'how long to wait for the connection, and for each answer',
      integer(1, 3_600_000),
      10_000,
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nIt ends with status 1 when a message did not come back as it was.')
    .action(runPing)
}

async function runPing(
  address: TunnelEndpoint,
  { count, interval, size, timeout, json }: PingArguments,
): Promise<void> {
  const name = formatEndpoint(address)
  const began = performance.now()
  const connection = await connect(await driverFor(address.scheme), address.address, { timeoutMs: timeout })
  const connectMs = performance.now() - began
  if (!json) console.log(`connected to ${name} in ${connectMs.toFixed(1)} ms; ${size} bytes a message`)
  const message = Buffer.alloc(size, 'netts')
  const microseconds: number[] = []
  try {
    for (let number = 1; number <= count; number++) {
      if (number > 1) await delay(interval)
      microseconds.push(await roundTrip(connection, message, AbortSignal.timeout(timeout)))
      if (!json) console.log(`${number}: ${formatMicroseconds(microseconds.at(-1)!)}`)
    }
    await connection.close()
  } finally {
    connection.destroy()
  }
  const times = timesOf(microseconds)
  if (json) console.log(JSON.stringify({ address: name, connectMs, bytes: size, microseconds: times }))
  else {
    const [least, p50, most] = [times.least, times.p50, times.most].map(formatMicroseconds)
    console.log(`${count} of ${count} came back: at least ${least}, half within ${p50}, at most ${most}`)
  }
}
