/** This driver, as the suite of drivers over RDMA tests it. */
import { fileURLToPath } from 'node:url'
import type { LoopbackDriver } from '@netts/rdma-suite/loopback-conformance'
import type { LivingDriver } from '@netts/rdma-suite/random-life'
import { type RingOptions, ring, ringOver } from '../src/index.js'

export const tested: LoopbackDriver<RingOptions> & LivingDriver<RingOptions> = {
  name: 'rdma-ring',
  build: ring,
  buildOver: ringOver,
  peerProgram: fileURLToPath(new URL('loopback-peer.program.ts', import.meta.url)),
  randomOptions: (random) => ({
    capacity: 2 ** (12 + random.below(5)),
    bufferSize: 1040 + random.below(6000),
  }),
}
