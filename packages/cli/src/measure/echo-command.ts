/** `netts echo`: sends back every message, for `netts ping` and `netts bench`. */
import { type Connection, listen, type NettsError } from '@netts/core'
import { Command } from 'commander'
import { endpoint } from '../arguments.js'
import { driverFor } from '../drivers.js'
import { formatEndpoint, isLocal, type TunnelEndpoint } from '../endpoint.js'
import { signal } from '../signals.js'

/** Makes the command. */
export function echoCommand(): Command {
  return new Command('echo')
    .description('send back every message, for netts ping and netts bench')
    .argument(
      '<address>',
      'the address to listen on, such as tcp://0.0.0.0:7000 or ring://10.0.0.7:7000',
      endpoint,
    )
    .action(runEcho)
}

async function runEcho(address: TunnelEndpoint): Promise<void> {
  if (!isLocal(address)) {
    console.error(`netts echo: warning: every host that reaches ${formatEndpoint(address)} can use it`)
  }
  const listener = await listen(await driverFor(address.scheme), address.address)
  console.log(`echoing at ${formatEndpoint({ ...address, address: listener.address })}`)
  const accepting = acceptAll()
  await Promise.race([signal(), accepting])
  await listener.close()
  for (const connection of listener.connections) connection.destroy()
  await accepting

  async function acceptAll(): Promise<void> {
    for await (const connection of listener) {
      echo(connection).catch((error: NettsError) => {
        console.error(`netts echo: a connection failed: ${error.message} (${error.code})`)
      })
    }
  }
}

/** Sends back every message, in order, until the peer ends. */
export async function echo(connection: Connection): Promise<void> {
  for await (const lease of connection.leases()) {
    using message = lease
    await connection.send(message.bytes)
  }
}
