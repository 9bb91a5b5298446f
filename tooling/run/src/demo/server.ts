/** The server of the demonstration: listens over one transport and says where, to its parent or its caller. */
import { type Address, listen } from '@netts/core'
import { serve } from './service.js'
import { type DemoTransport, transports } from './transports.js'

/** Serves until the listener is closed. @returns where it listens, and how to stop it */
export async function startServer(
  transport: DemoTransport,
  onError: (error: unknown) => void,
): Promise<{ address: Address; close(): Promise<void> }> {
  const listener = await listen(transport.builder(), transport.address())
  const accepting = async () => {
    for await (const connection of listener) serve(connection).catch(onError)
  }
  accepting().catch(onError)
  return { address: listener.address, close: () => listener.close() }
}

/** What the server process tells its parent. */
export type ServerMessage = { address: Address } | { error: string }

if (process.send) {
  const send = (message: ServerMessage) => process.send?.(message)
  const transport = transports.find(({ name }) => name === process.argv[2])
  if (!transport) throw new Error(`no transport is called ${process.argv[2]}`)
  const { address } = await startServer(transport, (error) => send({ error: String(error) }))
  send({ address })
  // Without its parent it has no purpose.
  process.on('disconnect', () => process.exit())
}
