/** `netts tunnel`: the command line, signals and messages of a tunnel. */
import { isNettsError, type NettsError } from '@netts/core'
import { Command } from 'commander'
import { endpoint, integer } from './arguments.js'
import { driverFor } from './drivers.js'
import { formatEndpoint, isLocal, type TunnelEndpoint } from './endpoint.js'
import { signal } from './signals.js'
import { openTunnel, type Tunnel } from './tunnel.js'

interface TunnelArguments {
  readonly listen: TunnelEndpoint
  readonly to: TunnelEndpoint
  readonly connectTimeout: number
  readonly drainTimeout: number
}

/** The longest that a timer can wait: 2^31 - 1 ms. */
const MOST_MS = 0x7fffffff

const milliseconds = integer(0, MOST_MS)

/** Makes the command. */
export function tunnelCommand(): Command {
  return new Command('tunnel')
    .description('connect whatever connects to one address on to another one, over any two transports')
    .requiredOption('--listen <address>', 'where to listen', endpoint)
    .requiredOption('--to <address>', 'where to connect to', endpoint)
    .option('--connect-timeout <ms>', 'how long connecting on may take', milliseconds, 10_000)
    .option(
      '--drain-timeout <ms>',
      'how long connections may last after SIGTERM; 0 for ever',
      milliseconds,
      30_000,
    )
    .addHelpText(
      'after',
      `
Addresses:
  tcp://HOST:PORT       TCP
  unix:PATH             a Unix domain socket
  sendrecv://HOST:PORT  RDMA, @netts/rdma-sendrecv
  ring://HOST:PORT      RDMA, @netts/rdma-ring
  rdma://HOST:PORT      RDMA, the faster of both, which is the ring
Both ends of an RDMA connection need the same driver.

SIGTERM and SIGINT end the listening and let connections finish; a second one ends them too.`,
    )
    .action(runTunnel)
}

async function runTunnel({ listen, to, connectTimeout, drainTimeout }: TunnelArguments): Promise<void> {
  const [from, toText] = [formatEndpoint(listen), formatEndpoint(to)]
  if (!isLocal(listen)) {
    say(
      `warning: whoever reaches ${from} can use this tunnel; it encrypts nothing and asks nobody who they are`,
    )
  }
  const [listenBuilder, toBuilder] = await Promise.all([driverFor(listen.scheme), driverFor(to.scheme)])
  const tunnel = await openTunnel(
    { builder: listenBuilder, address: listen.address },
    { builder: toBuilder, address: to.address },
    {
      connectTimeoutMs: connectTimeout,
      onError: (error, at) =>
        say(`a connection ${at === 'to' ? `to ${toText}` : `at ${from}`} failed: ${describe(error)}`),
    },
  )
  console.log(`listening at ${formatEndpoint({ ...listen, address: tunnel.address })}, to ${toText}`)
  await drained(tunnel, drainTimeout)
}

/** Waits for a signal, and then for the connections. */
async function drained(tunnel: Tunnel, timeoutMs: number): Promise<void> {
  await signal()
  const draining = tunnel.drain()
  if (tunnel.connections > 0) say(`waiting for ${tunnel.connections} connections to finish`)
  const timer = timeoutMs > 0 ? setTimeout(() => void tunnel.close(), timeoutMs) : undefined
  void signal().then(() => tunnel.close())
  await draining
  clearTimeout(timer)
}

/** Says something to the operator. */
export function say(message: string): void {
  console.error(`netts tunnel: ${message}`)
}

const describe = (error: NettsError) =>
  isNettsError(error) ? `${error.message} (${error.code})` : String(error)
