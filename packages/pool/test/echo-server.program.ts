/** A server that tests kill and start again: answers each message with the same, at a port that it is told. */
import { type Connection, listen } from '@netts/core'
import { tcp } from '@netts/tcp'

const listener = await listen(tcp(), { host: '127.0.0.1', port: Number(process.argv[2]) })
// A test that dies leaves no server behind.
process.on('disconnect', () => process.exit())
process.send?.(listener.address)
for await (const connection of listener) echo(connection).catch(() => {})

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message)
}
