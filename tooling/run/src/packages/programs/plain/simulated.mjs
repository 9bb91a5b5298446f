/** Awaits a message and a close over the simulated device. */
import { connect, listen } from '@netts/core'
import { sendRecvOver } from '@netts/rdma-sendrecv'
import { createSimulatedFabric } from '@netts/verbs/simulated'

const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
const [near, far] = [fabric.createHost(), fabric.createHost()]
const server = await listen(sendRecvOver({ verbs: far }), { host: far.address, port: 0 })
const client = await connect(sendRecvOver({ verbs: near }), server.address)
const accepted = await server.accept()
setTimeout(() => accepted.send(Buffer.from('hello')), 50).unref()
console.log(String(await client.recv()))
await client.close()
await client.closed
await Promise.all([accepted.close(), server.close()])
console.log('done')
