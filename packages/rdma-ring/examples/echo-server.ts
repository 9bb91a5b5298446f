/** An echo server on every RDMA interface of this machine: `node --import tsx examples/echo-server.ts [host] [port]`. */
import { listen } from '@netts/core'
import { ring } from '@netts/rdma-ring'

const [host = '0.0.0.0', port = '18515'] = process.argv.slice(2)
const server = await listen(ring(), { host, port: Number(port) })
console.log('listening', server.address)

for await (const connection of server) {
  const serve = async () => {
    for await (const message of connection) await connection.send(message)
    await connection.close()
  }
  serve().catch(console.error)
}
