/** Sends one message to an echo server: `node --import tsx examples/echo-client.ts 10.0.0.1 [port]`. */
import { connect } from '@netts/core'
import { ring } from '@netts/rdma-ring'

const [host, port = '18515'] = process.argv.slice(2)
if (host === undefined)
  throw new Error('usage: echo-client HOST [PORT], where HOST is an address of an RDMA interface')

const connection = await connect(ring(), { host, port: Number(port) })
await connection.send(Buffer.from('hello'))
console.log((await connection.recv())?.toString())
await connection.close()
