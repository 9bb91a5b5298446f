/** The builder: configuration in, connections and listeners out. */
import type { TransportBuilder } from '@netts/core'
import { openVerbs, type Verbs } from '@netts/verbs'
import {
  checkVerbs,
  createRdmaBuilder,
  LEAST_BUFFERS,
  receivesFor,
  sendPlacesFor,
  TransportMemory,
} from '@netts/verbs/endpoint'
import { checkOptions, type SendRecvConfig, type SendRecvOptions } from './options.js'
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
  const verbs = checkVerbs(options?.verbs)
  return build(config, () => verbs)
}

function build(config: SendRecvConfig, verbs: () => Verbs): TransportBuilder<SendRecvTransport> {
  return createRdmaBuilder<SendRecvTransport>({
    name: 'rdma-sendrecv',
    identity: IDENTITY,
    options: config,
    maxSendWorkRequests: sendPlacesFor(config.sendDepth),
    maxReceiveWorkRequests: receivesFor(config.recvDepth),
    slabs: (environment) => {
      const buffers = receivesFor(config.recvDepthInitial) + LEAST_BUFFERS
      return TransportMemory.slabsFor(environment, config.bufferSize, buffers)
    },
    session: (endpoint) => new SendRecvSession(endpoint, config),
    verbs,
  })
}
