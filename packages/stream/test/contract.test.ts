/** The contract of a socket: first on `net.Socket` itself, then on streams over each transport that needs no device. */
import { createMockNetwork } from '@netts/mock'
import { ringOver } from '@netts/rdma-ring'
import { sendRecvOver } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import type { Verbs } from '@netts/verbs'
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { socketContract } from './contract/contract.js'
import { netGround, streamGround } from './contract/ground.js'

socketContract(netGround)

socketContract(
  streamGround({
    name: 'tcp',
    refusal: 'ERR_NETTS_CONNECT_FAILED',
    setup: () => ({ client: tcp(), server: tcp(), host: '127.0.0.1' }),
  }),
)

socketContract(
  streamGround({
    name: 'mock',
    hasPorts: false,
    refusal: 'ERR_NETTS_CONNECT_FAILED',
    setup: () => {
      const builder = createMockNetwork().builder()
      return { client: builder, server: builder, host: 'anywhere' }
    },
  }),
)

socketContract(
  streamGround({
    name: 'mock in crumbs',
    hasPorts: false,
    refusal: 'ERR_NETTS_CONNECT_FAILED',
    setup: () => {
      const chaos = { refuseSend: 0.3, partialAccept: 0.5, splitChunk: 0.5 }
      const builder = createMockNetwork({ seed: 5, faults: { chaos } }).builder()
      return { client: builder, server: builder, host: 'anywhere' }
    },
  }),
)

/** What runs on a host of a simulated fabric, each on one kind of it. */
const simulated = [
  ['rdma-sendrecv', 'roce', (verbs: Verbs) => sendRecvOver({ verbs })],
  ['rdma-sendrecv', 'iwarp', (verbs: Verbs) => sendRecvOver({ verbs })],
  ['rdma-ring', 'roce', (verbs: Verbs) => ringOver({ verbs })],
  ['rdma-ring of a page', 'iwarp', (verbs: Verbs) => ringOver({ verbs, capacity: 4096 })],
] as const

for (const [driver, mode, build] of simulated) {
  socketContract(
    streamGround({
      name: `${driver}, simulated ${mode}`,
      finishIsAcknowledged: mode === 'roce',
      refusal: 'ERR_NETTS_CONNECT_FAILED',
      setup: () => {
        const fabric = createSimulatedFabric({ mode, drive: 'auto' })
        const [client, server] = [fabric.createHost(), fabric.createHost()]
        return { client: build(client), server: build(server), host: server.address }
      },
    }),
  )
}
