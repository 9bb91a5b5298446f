/** Awaits the close of a connection whose peer does nothing until then. */
import { connect, listen } from '@netts/core'
import { createMockNetwork } from '@netts/mock'

const builder = createMockNetwork().builder()
const server = await listen(builder, { host: 'peer', port: 0 })
const client = await connect(builder, server.address)
const accepted = await server.accept()
await client.send(Buffer.from('hello'))
await client.close()
await client.closed
await Promise.all([accepted.close(), server.close()])
console.log('done')
