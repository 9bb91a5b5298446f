/** What works in a runtime that is not Node.js: TCP, the mock, the simulated device; and what it says about RDMA. */
import { connect, listen } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { ring } from '@netts/rdma-ring'
import { sendRecv, sendRecvOver } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { openVerbs, rdmaAvailability } from '@netts/verbs'
import { createSimulatedFabric } from '@netts/verbs/simulated'

/** Long enough for several chunks of every driver, and to fill what a socket takes at once. */
const LONG = Buffer.alloc(5_000_001, 'netts')

/** Sends both ways, a short and a long message and many at once, and ends each way that there is. */
async function exchange(name, near, far, address) {
  const server = await listen(far, address)
  const client = await connect(near, server.address)
  const accepted = await server.accept()
  await client.send(Buffer.from(`hello over ${name}`))
  const greeting = String(await accepted.recv())
  const [, returned] = await Promise.all([accepted.send(LONG), client.recv()])
  if (!returned.equals(LONG)) throw new Error(`${name}: the long message differs`)
  const count = 1000
  const sending = (async () => {
    for (let index = 0; index < count; index++) await client.send(Buffer.from(`${index}`))
    await client.finish()
  })()
  let next = 0
  for await (const message of accepted) {
    if (String(message) !== `${next++}`) throw new Error(`${name}: message ${next} is ${message}`)
  }
  await sending
  if (next !== count) throw new Error(`${name}: ${next} of ${count} messages came`)
  await Promise.all([client.close(), accepted.close(), server.close()])
  console.log(greeting)
}

await exchange('tcp', tcp(), tcp(), { host: '127.0.0.1', port: 0 })
const network = createMockNetwork()
await exchange('mock', network.builder(), network.builder(), { host: 'mock', port: 0 })
const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
const [one, two] = [fabric.createHost(), fabric.createHost()]
const simulated = (verbs) => sendRecvOver({ verbs })
await exchange('simulated', simulated(one), simulated(two), { host: two.address, port: 0 })

const refused = await connect(tcp(), { host: '127.0.0.1', port: 1 }).catch((error) => error)
console.log(refused.code)
const rdma = rdmaAvailability()
console.log(rdma.reason, rdma.message)
for (const builder of [sendRecv(), ring()]) {
  const error = await connect(builder, { host: '127.0.0.1', port: 1 }).catch((reason) => reason)
  console.log(error.code)
}
try {
  openVerbs()
} catch (error) {
  console.log(error.code)
}
