/** The transports over which existing software is run. */
import type { Address, TransportBuilder } from '@netts/core'
import { LOOPBACK_ADDRESS, loopbackIsMissing, useLoopback } from '@netts/loopback'
import { createMockNetwork, type MockBuilderOptions } from '@netts/mock'
import { type RingOptions, ring, ringOver } from '@netts/rdma-ring'
import { type SendRecvOptions, sendRecv, sendRecvOver } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import type { Verbs } from '@netts/verbs'
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { overPairs } from './duplex-builder.js'

/** One kind of transport. */
export interface Wire {
  readonly name: string
  /** Why it cannot be used here; else `undefined`. */
  readonly missing: string | undefined
  /** A client's builder, a server's, and where it listens. */
  readonly open: () => {
    readonly client: TransportBuilder
    readonly server: TransportBuilder
    readonly address: Address
  }
}

/** Pipes of so little that anything which waits for itself stops for ever. */
export const SMALLEST = {
  mock: { maxSendSize: 1024, sendSlots: 1, recvSlots: 1, recvWindow: 1024 } satisfies MockBuilderOptions,
  sendRecv: { recvDepth: 1, sendDepth: 1, bufferSize: 1032 } satisfies SendRecvOptions,
  ring: { capacity: 4096, sendDepth: 1, bufferSize: 1040 } satisfies RingOptions,
}

export function mockWire(options: MockBuilderOptions = {}, name = 'mock'): Wire {
  return {
    name,
    missing: undefined,
    open: () => {
      const network = createMockNetwork()
      return {
        client: network.builder(options),
        server: network.builder(options),
        address: { host: 'service', port: 0 },
      }
    },
  }
}

export function tcpWire(): Wire {
  return {
    name: 'tcp',
    missing: undefined,
    open: () => ({ client: tcp(), server: tcp(), address: { host: '127.0.0.1', port: 0 } }),
  }
}

/** A driver over RDMA: over this machine's verbs, and over others. */
interface RdmaDriver<O> {
  readonly name: string
  build(options?: O): TransportBuilder
  buildOver(options: O & { readonly verbs: Verbs }): TransportBuilder
}

export const sendRecvDriver: RdmaDriver<SendRecvOptions> = {
  name: 'rdma-sendrecv',
  build: sendRecv,
  buildOver: sendRecvOver,
}

export const ringDriver: RdmaDriver<RingOptions> = { name: 'rdma-ring', build: ring, buildOver: ringOver }

/** @param what the options are, for the name */
export function simulatedWire<O extends object>(driver: RdmaDriver<O>, options?: O, what?: string): Wire {
  return {
    name: `${driver.name}, simulated${what ? `, ${what}` : ''}`,
    missing: undefined,
    open: () => {
      const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      return {
        client: driver.buildOver({ ...(options as O), verbs: client }),
        server: driver.buildOver({ ...(options as O), verbs: server }),
        address: { host: server.address, port: 0 },
      }
    },
  }
}

/** @param what the options are, for the name */
export function loopbackWire<O extends object>(driver: RdmaDriver<O>, options?: O, what?: string): Wire {
  return {
    name: `${driver.name}, loopback${what ? `, ${what}` : ''}`,
    missing: loopbackIsMissing() ? 'the loopback device was not built' : undefined,
    open: () => {
      useLoopback()
      const builder = driver.build(options)
      return { client: builder, server: builder, address: { host: LOOPBACK_ADDRESS, port: 0 } }
    },
  }
}

/** Duplexes in memory that hold a byte: what is written waits until it is read. */
export function oneByteWire(): Wire {
  return {
    name: 'pairs of Duplexes of one byte',
    missing: undefined,
    open: () => {
      const { builder } = overPairs({ maxSendSize: 1024, sendDepth: 1, recvWindow: 1024 }, 1)
      return { client: builder, server: builder, address: { host: 'service', port: 0 } }
    },
  }
}

/** One of each kind. */
export const wires: readonly Wire[] = [
  mockWire(),
  tcpWire(),
  simulatedWire(sendRecvDriver),
  simulatedWire(ringDriver),
  loopbackWire(sendRecvDriver),
  loopbackWire(ringDriver),
]

/** Those that can be used here. */
export const usableWires = wires.filter(({ missing }) => missing === undefined)

/** For the title of a test over {@link usableWires}: what it skips, and why. */
export const skippedWires = wires
  .filter(({ missing }) => missing !== undefined)
  .map(({ name, missing }) => ` (skipped over ${name}: ${missing})`)
  .join('')
