/** `netts tunnel`: the command line, signals and messages of a tunnel. */
import { isNettsError, type NettsError } from '@netts/core'
import { Command } from 'commander'
import { endpoint, integer } from './arguments.js'
import { driverFor } from './drivers.js'
import { formatEndpoint, isLocal, type TunnelEndpoint } from './endpoint.js'
import { signal } from './signals.js'
import { openTunnel, type Tunnel } from './tunnel.js'
import { addTlsOptions, type TunnelTlsArguments, tunnelTls } from './tunnel-tls.js'

interface TunnelArguments extends TunnelTlsArguments {
  readonly listen: TunnelEndpoint
  readonly to: TunnelEndpoint
  readonly connectTimeout: number
  readonly drainTimeout: number
}

/** The longest delay of setTimeout in Node.js: 2^31 - 1 ms. */
const MOST_MS = 0x7fffffff

const milliseconds = integer(0, MOST_MS)

/** Makes the command. */
export function tunnelCommand(): Command {
  const command = new Command('tunnel')
    .description('forward each connection from one address to another, over any two transports')
    .requiredOption('--listen <address>', 'the address to listen on', endpoint)
    .requiredOption('--to <address>', 'the address to connect to', endpoint)
    .option('--connect-timeout <ms>', 'how long connecting to --to may take', milliseconds, 10_000)
    .option(
      '--drain-timeout <ms>',
      'how long connections may continue after SIGTERM; 0 for no limit',
      milliseconds,
      30_000,
    )
  return addTlsOptions(command)
    .addHelpText(
      'after',
      `
Addresses:
  tcp://HOST:PORT       TCP
  unix:PATH             a Unix domain socket
  sendrecv://HOST:PORT  RDMA, @netts/rdma-sendrecv
  ring://HOST:PORT      RDMA, @netts/rdma-ring
  rdma://HOST:PORT      RDMA, the preferred driver: the ring
Both ends of an RDMA connection need the same driver.

SIGTERM and SIGINT stop the listening and let connections finish; a second signal ends them too.`,
    )
    .action(runTunnel)
}

async function runTunnel(args: TunnelArguments, command: Command): Promise<void> {
  const { listen, to, connectTimeout, drainTimeout } = args
  const [from, toText] = [formatEndpoint(listen), formatEndpoint(to)]
  const tls = tunnelTls(args, to, (why) => command.error(`error: ${why}`))
  if (!isLocal(listen) && !args.tlsRequestCert) {
    const encrypts = args.tlsListen ? '' : 'does not encrypt, and '
    say(
      `warning: every host that reaches ${from} can use this tunnel; it ${encrypts}does not authenticate clients`,
    )
  }
  const [listenBuilder, toBuilder] = await Promise.all([driverFor(listen.scheme), driverFor(to.scheme)])
  let onBroken: () => void = () => {}
  const broken = new Promise<void>((resolve) => {
    onBroken = resolve
  })
  const tunnel = await openTunnel(
    { builder: tls.listen(listenBuilder), address: listen.address },
    { builder: tls.to(toBuilder), address: to.address },
    {
      connectTimeoutMs: connectTimeout,
      onError(error, at) {
        if (at === 'listener') {
          say(`listening at ${from} ended: ${describe(error)}`)
          onBroken()
        } else {
          say(`a connection ${at === 'to' ? `to ${toText}` : `at ${from}`} failed: ${describe(error)}`)
        }
      },
    },
  )
  console.log(`listening at ${formatEndpoint({ ...listen, address: tunnel.address })}, to ${toText}`)
  await Promise.race([signal(), broken])
  await drained(tunnel, drainTimeout)
  const error = await tunnel.closed
  if (error) throw error
}

/** Stops listening, and waits until the connections have ended. */
async function drained(tunnel: Tunnel, timeoutMs: number): Promise<void> {
  const draining = tunnel.drain()
  if (tunnel.connections > 0) say(`waiting for ${tunnel.connections} connections to finish`)
  const timer = timeoutMs > 0 ? setTimeout(() => void tunnel.close(), timeoutMs) : undefined
  void signal().then(() => tunnel.close())
  await draining
  clearTimeout(timer)
}

/** Prints a message for the operator on the standard error. */
export function say(message: string): void {
  console.error(`netts tunnel: ${message}`)
}

const describe = (error: NettsError) =>
  isNettsError(error) ? `${error.message} (${error.code})` : String(error)
