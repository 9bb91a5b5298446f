/** Sends every message back. SIGTERM and SIGINT end it when its clients have gone, or after 10 s. */
import { type Connection, listen } from '@netts/core'
import { tcp } from '@netts/tcp'

const port = Number(process.argv[2] ?? 7000)
const server = await listen(tcp(), { host: '127.0.0.1', port })
console.log('listening', server.address)

async function serve(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message)
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void server.close({ drain: true, deadlineMs: 10_000 }))
}

for await (const connection of server) {
  serve(connection).catch((error) => console.error(connection.remoteAddress, error))
}
