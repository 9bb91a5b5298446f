/** `netts ping`: measures the round trips of single messages to `netts echo`. */
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
    .description('send messages to netts echo, one after the other, and print the time of each round trip')
    .argument('<address>', 'the address of netts echo', endpoint)
    .option('--count <n>', 'how many messages to send', integer(1, 1_000_000), 5)
    .option('--interval <ms>', 'the time between two messages', integer(0, 3_600_000), 1000)
    .option('--size <bytes>', 'the size of each message', integer(1, 16 << 20), 64)
    .option('--timeout <ms>', 'how long connecting and each answer may take', integer(1, 3_600_000), 10_000)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nIt ends with status 1 if a message did not come back unchanged.')
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
