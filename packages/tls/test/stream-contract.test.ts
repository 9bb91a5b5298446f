/** The contract of a socket, which runs over `net.Socket` first, on streams over TLS. */
import { createMockNetwork } from '@netts/mock'
import { ringOver } from '@netts/rdma-ring'
import { tcp } from '@netts/tcp'
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { socketContract } from '../../stream/test/contract/contract.js'
import { streamGround } from '../../stream/test/contract/ground.js'
import { tls } from '../src/index.js'
import { mutualTls } from './wires.js'

const options = mutualTls()

socketContract(
  streamGround({
    name: 'tls(tcp)',
    refusal: 'ERR_NETTS_CONNECT_FAILED',
    setup: () => ({
      client: tls(tcp(), options.client),
      server: tls(tcp(), options.server),
      host: '127.0.0.1',
    }),
  }),
)

socketContract(
  streamGround({
    name: 'tls(mock)',
    hasPorts: false,
    refusal: 'ERR_NETTS_CONNECT_FAILED',
    setup: () => {
      const mock = createMockNetwork().builder()
      return { client: tls(mock, options.client), server: tls(mock, options.server), host: 'anywhere' }
    },
  }),
)

socketContract(
  streamGround({
    name: 'tls(rdma-ring), simulated RoCE',
    finishIsAcknowledged: true,
    refusal: 'ERR_NETTS_CONNECT_FAILED',
    setup: () => {
      const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      return {
        client: tls(ringOver({ verbs: client }), options.client),
        server: tls(ringOver({ verbs: server }), options.server),
        host: server.address,
      }
    },
  }),
)
