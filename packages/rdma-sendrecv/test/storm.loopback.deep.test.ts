/** The whole storm: 2000 connections, half of which end by faults of their own. */
import { stormOnLoopback } from '@netts/rdma-suite/loopback-storm'
import { tested } from './tested.js'

stormOnLoopback(tested, { connections: 2000, rounds: 4, options: { bufferSize: 2048, recvDepthInitial: 1 } })
