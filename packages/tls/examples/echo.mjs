import { readFileSync } from 'node:fs'
import { connect, listen } from '@netts/core'
import { tcp } from '@netts/tcp'
import { tls } from '@netts/tls'

const server = await listen(
  tls(tcp(), { cert: readFileSync('server.pem'), key: readFileSync('server.key') }),
  { host: '127.0.0.1', port: 0 },
)
const echo = async () => {
  for await (const connection of server) {
    const serve = async () => {
      for await (const message of connection) await connection.send(message)
    }
    serve().catch(console.error)
  }
}
echo().catch(console.error)

const client = await connect(tls(tcp(), { ca: readFileSync('ca.pem') }), server.address)
await client.send(Buffer.from('hello'))
console.log((await client.recv())?.toString())
await client.close()
await server.close()
