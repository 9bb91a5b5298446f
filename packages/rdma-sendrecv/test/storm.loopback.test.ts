/** Faults that cross no connection, on the loopback device. The whole storm is `storm.loopback.deep.test.ts`. */
import { stormOnLoopback } from '@netts/rdma-suite/loopback-storm'
import { tested } from './tested.js'

stormOnLoopback(tested, { connections: 100, rounds: 2, options: { bufferSize: 2048, recvDepthInitial: 1 } })
