/** This driver, as the suite of drivers over RDMA tests it. */
import { fileURLToPath } from 'node:url'
import type { LoopbackDriver } from '@netts/rdma-suite/loopback-conformance'
import type { LivingDriver } from '@netts/rdma-suite/random-life'
import { type SendRecvOptions, sendRecv, sendRecvOver } from '../src/index.js'

export const tested: LoopbackDriver<SendRecvOptions> & LivingDriver<SendRecvOptions> = {
  name: 'rdma-sendrecv',
  build: sendRecv,
  buildOver: sendRecvOver,
  peerProgram: fileURLToPath(new URL('loopback-peer.program.ts', import.meta.url)),
  randomOptions(random) {
    const recvDepth = 1 + random.below(random.chance(0.5) ? 4 : 40)
    return {
      recvDepth,
      recvDepthInitial: 1 + random.below(recvDepth),
      bufferSize: 1032 + random.below(3000),
    }
  },
}

/** The extremes of the receive window. */
export const DEPTHS: Readonly<Record<string, SendRecvOptions>> = {
  one: { recvDepth: 1 },
  '512 fixed': { recvDepth: 512, recvDepthInitial: 512, bufferSize: 2048 },
  '512 elastic': { recvDepth: 512, recvDepthInitial: 1, bufferSize: 2048 },
}
