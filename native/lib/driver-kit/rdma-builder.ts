/** Makes a driver's builder: what `connect` and `listen` of `@netts/core` take. */
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

/** A driver over RDMA, for {@link createRdmaBuilder}. */
export interface RdmaDriver<T extends Transport> {
  /** The driver's name, such as `rdma-ring`. */
  readonly name: string
  /** Number and version of its protocol in the hello. */
  readonly identity: ProtocolIdentity
  /** The options that all such drivers have, from {@link checkRdmaOptions}. */
  readonly options: RdmaConfig
  /** Send work requests of the driver that a connection may have outstanding. The endpoint adds its own. */
  readonly maxSendWorkRequests: number
  /** Receives of the driver that a connection may have outstanding. The endpoint adds its own. */
  readonly maxReceiveWorkRequests: number
  /**
   * The slabs that {@link session} is going to register: they are registered before, on another thread.
   * @default none
   */
  slabs?(environment: DeviceEnvironment): readonly SlabNeed[]
  /**
   * Makes the transport of a connection. Its queue pair exists: take memory, and post every receive now. When it throws
   * a NettsError, `connect` rejects with it, and an acceptor refuses the request.
   */
  session(endpoint: Endpoint): T & EndpointSession
  /** The verbs to run on. Called by each `connect` and `listen`, which reject with what it throws. */
  verbs(): Verbs
}

/** Makes the builder of a driver. It connects and listens over `driver.verbs()`, and opens nothing before that. */
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

/** Checks an option `verbs`. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless it is a {@link Verbs} */
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
