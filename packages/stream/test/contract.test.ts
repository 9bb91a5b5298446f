/** The contract of a socket: first on `net.Socket` itself, then on streams over each transport that needs no device. */
import { createMockNetwork } from '@netts/mock'
import { sendRecvOver } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
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

for (const mode of ['roce', 'iwarp'] as const) {
  socketContract(
    streamGround({
      name: `rdma-sendrecv, simulated ${mode}`,
      refusal: 'ERR_NETTS_CONNECT_FAILED',
      setup: () => {
        const fabric = createSimulatedFabric({ mode, drive: 'auto' })
        const [client, server] = [fabric.createHost(), fabric.createHost()]
        return {
          client: sendRecvOver({ verbs: client }),
          server: sendRecvOver({ verbs: server }),
          host: server.address,
        }
      },
    }),
  )
}
