/** Awaits a message that a peer sends after a while. Nothing but this program's await keeps the process alive. */
import { connect, listen } from '@netts/core'
import { createMockNetwork } from '@netts/mock'

const builder = createMockNetwork().builder()
const server = await listen(builder, { host: 'peer', port: 0 })
const client = await connect(builder, server.address)
const accepted = await server.accept()
setTimeout(() => accepted.send(Buffer.from('hello')), 50).unref()
console.log(String(await client.recv()))
await Promise.all([client.close(), accepted.close(), server.close()])
console.log('done')
