/** The builder: configuration in, connections and listeners out. */
import type { Address, HostAddress, TransportBuilder } from '@netts/core'
import { createBuilder, invalidArgument, isPathAddress } from '@netts/core/driver'
import { openVerbs, type Verbs } from '@netts/verbs'
import { connectEndpoint, type EndpointOptions, patientClock } from '@netts/verbs/endpoint'
import { SendRecvListener } from './listener.js'
import { checkOptions, type SendRecvConfig, type SendRecvOptions } from './options.js'
import { receivesFor } from './protocol/credits.js'
import { CONTROL_SENDS } from './send-queue.js'
import type { SendRecvTransport } from './send-recv-transport.js'
import { SendRecvSession } from './transport.js'

/** Number and version of this protocol in the hello. */
const IDENTITY = { driver: 1, version: 1 } as const

/** Options of {@link sendRecvOver}. */
export interface SendRecvOverOptions extends SendRecvOptions {
  /** What to run on, such as a host of `@netts/verbs/simulated`. */
  readonly verbs: Verbs
}

/**
 * Transports over RDMA Send and Receive, on InfiniBand, RoCE and iWARP. The RDMA libraries are loaded with the first
 * `connect` or `listen`, which reject with `ERR_NETTS_UNAVAILABLE` where RDMA cannot be used.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, and one of the wrong type or out of range
 */
export function sendRecv(options?: SendRecvOptions): TransportBuilder<SendRecvTransport> {
  return build(checkOptions(options), () => openVerbs())
}

/**
 * The same over other verbs than this machine's: a simulated device, for tests without hardware. The verbs stay the
 * caller's, and are to be closed after the last transport.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` without verbs, and for options as {@link sendRecv}
 */
export function sendRecvOver(options: SendRecvOverOptions): TransportBuilder<SendRecvTransport> {
  const config = checkOptions(options, ['verbs'])
  const { verbs } = options ?? {}
  if (typeof verbs?.createCmId !== 'function') {
    throw invalidArgument('verbs must be what openVerbs() or a simulated fabric made')
  }
  return build(config, () => verbs)
}

function build(config: SendRecvConfig, open: () => Verbs): TransportBuilder<SendRecvTransport> {
  const endpoint = endpointOptions(config)
  return createBuilder<SendRecvTransport, HostAddress>({
    name: 'rdma-sendrecv',
    checkAddress: checkHostAddress,
    connect: async (address, ended) =>
      (await connectEndpoint(open(), address, endpoint, ended)).session as SendRecvSession,
    listen: async (address, backlog) => new SendRecvListener(open(), address, backlog, endpoint),
    clock: () => patientClock(open().clock),
  })
}

function endpointOptions(config: SendRecvConfig): EndpointOptions {
  const { polling, adaptiveMicroseconds, spinMicroseconds, keepAliveIntervalMs, keepAliveTimeoutMs } = config
  return {
    identity: IDENTITY,
    polling: { polling, adaptiveMicroseconds, spinMicroseconds },
    keepAliveIntervalMs,
    keepAliveTimeoutMs,
    maxSendWorkRequests: config.sendDepth + CONTROL_SENDS,
    maxReceiveWorkRequests: receivesFor(config.recvDepth),
    maxSendEntries: 2,
    maxReceiveEntries: 1,
    maxInlineBytes: config.inlineThreshold,
    maxReads: 1,
    openSession: (endpoint) => new SendRecvSession(endpoint, config),
  }
}

function checkHostAddress(address: Address, operation: 'connect' | 'listen'): HostAddress {
  if (!isPathAddress(address)) return address
  throw invalidArgument('RDMA has no Unix domain sockets: use { host, port }', operation)
}
