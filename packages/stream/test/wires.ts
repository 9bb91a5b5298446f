/** The transports over which existing software is run. */
import type { Address, TransportBuilder } from '@netts/core'
import { LOOPBACK_ADDRESS, loopbackIsMissing, useLoopback } from '@netts/loopback'
import { createMockNetwork, type MockBuilderOptions } from '@netts/mock'
import { type SendRecvOptions, sendRecv, sendRecvOver } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { createSimulatedFabric } from '@netts/verbs/simulated'

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

export function simulatedWire(options: SendRecvOptions = {}, name = 'rdma-sendrecv, simulated'): Wire {
  return {
    name,
    missing: undefined,
    open: () => {
      const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      return {
        client: sendRecvOver({ ...options, verbs: client }),
        server: sendRecvOver({ ...options, verbs: server }),
        address: { host: server.address, port: 0 },
      }
    },
  }
}

export function loopbackWire(options: SendRecvOptions = {}, name = 'rdma-sendrecv, loopback'): Wire {
  return {
    name,
    missing: loopbackIsMissing() ? 'the loopback device was not built' : undefined,
    open: () => {
      useLoopback()
      const builder = sendRecv(options)
      return { client: builder, server: builder, address: { host: LOOPBACK_ADDRESS, port: 0 } }
    },
  }
}

/** One of each kind. */
export const wires: readonly Wire[] = [mockWire(), tcpWire(), simulatedWire(), loopbackWire()]

/** Those that can be used here. */
export const usableWires = wires.filter(({ missing }) => missing === undefined)

/** For the title of a test over {@link usableWires}: what it skips, and why. */
export const skippedWires = wires
  .filter(({ missing }) => missing !== undefined)
  .map(({ name, missing }) => ` (skipped over ${name}: ${missing})`)
  .join('')
