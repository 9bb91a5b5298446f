/** The process behind `startEchoWithFewFiles`: echoes every message. */
import { type Connection, listen } from '@netts/core'
import { tcp } from '../src/index.js'

const listener = await listen(tcp(), { host: '127.0.0.1', port: 0 })
process.send?.(listener.address)
for await (const connection of listener) echo(connection).catch(console.error)

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message)
}
