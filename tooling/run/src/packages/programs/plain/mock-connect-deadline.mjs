/** Awaits the deadline of an attempt to connect that gets no answer. */
import { connect, listen } from '@netts/core'
import { createMockNetwork } from '@netts/mock'

const network = createMockNetwork({ faults: { connect: 'never' } })
const server = await listen(network.builder(), { host: 'peer', port: 0 })
await connect(network.builder(), server.address, { timeoutMs: 50 }).catch(({ code }) => console.log(code))
await server.close()
console.log('done')
