/** The builder: configuration in, connections and listeners out. */
import type { Address, HostAddress, Transport, TransportBuilder } from '@netts/core'
import { createBuilder, invalidArgument, isPathAddress } from '@netts/core/driver'
import { connectEndpoint } from '../endpoint/connector.js'
import type { DeviceEnvironment } from '../endpoint/device-environment.js'
import type { Endpoint, EndpointOptions, EndpointSession } from '../endpoint/endpoint-session.js'
import type { ProtocolIdentity } from '../endpoint/hello.js'
import { patientClock } from '../endpoint/patient-clock.js'
import type { SlabNeed } from '../endpoint/spare-slabs.js'
import type { Verbs } from '../verbs/verbs.js'
import type { RdmaConfig } from './options.js'
import { RdmaListener } from './rdma-listener.js'

/** What a driver over RDMA is made of. */
export interface RdmaDriver<T extends Transport> {
  /** The driver's name. */
  readonly name: string
  /** Number and version of its protocol in the hello. */
  readonly identity: ProtocolIdentity
  /** The options that all such drivers have, checked. */
  readonly options: RdmaConfig
  /** Send work requests that a connection may have outstanding: of the driver's own, and so are the receives. */
  readonly maxSendWorkRequests: number
  readonly maxReceiveWorkRequests: number
  /** The slabs that {@link session} is going to register. They are there when it is called. @default none */
  slabs?(environment: DeviceEnvironment): readonly SlabNeed[]
  /** Called with the queue pair made: allocate memory, and post every receive now. May throw a NettsError. */
  session(endpoint: Endpoint): T & EndpointSession
  /** What to run on. Called with the first `connect` or `listen`. May throw a NettsError. */
  verbs(): Verbs
}

/** Makes the builder of a driver. */
export function createRdmaBuilder<T extends Transport>(driver: RdmaDriver<T>): TransportBuilder<T> {
  const endpoint = endpointOptions(driver)
  return createBuilder<T, HostAddress>({
    name: driver.name,
    checkAddress: checkHostAddress,
    connect: async (address, ended) => {
      const { session } = await connectEndpoint(driver.verbs(), address, endpoint, ended)
      return session as unknown as T
    },
    listen: async (address, backlog) => new RdmaListener<T>(driver.verbs(), address, backlog, endpoint),
    clock: () => patientClock(driver.verbs().clock),
  })
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless they are verbs to run a driver on */
export function checkVerbs(verbs: Verbs | undefined): Verbs {
  if (typeof verbs?.createCmId === 'function') return verbs
  throw invalidArgument('verbs must be what openVerbs() or a simulated fabric made')
}

function endpointOptions(driver: RdmaDriver<Transport>): EndpointOptions {
  const { identity, options, maxSendWorkRequests, maxReceiveWorkRequests } = driver
  const { polling, adaptiveMicroseconds, spinMicroseconds, trafficClass, localAddress } = options
  return {
    identity,
    polling: { polling, adaptiveMicroseconds, spinMicroseconds },
    keepAliveIntervalMs: options.keepAliveIntervalMs,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs,
    trafficClass,
    localAddress,
    maxSendWorkRequests,
    maxReceiveWorkRequests,
    // A header, and what a program's buffer has.
    maxSendEntries: 2,
    maxReceiveEntries: 1,
    maxInlineBytes: options.inlineThreshold,
    maxReads: 1,
    ...(driver.slabs && { slabs: driver.slabs }),
    openSession: (endpoint) => driver.session(endpoint),
  }
}

function checkHostAddress(address: Address, operation: 'connect' | 'listen'): HostAddress {
  if (!isPathAddress(address)) return address
  throw invalidArgument('RDMA has no Unix domain sockets: use { host, port }', operation)
}
