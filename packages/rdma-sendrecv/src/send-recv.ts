/** The builders: `sendRecv()` over this machine's RDMA devices, `sendRecvOver()` over others. */
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

/** Options of {@link sendRecvOver}: those of {@link sendRecv}, and the verbs, which `sendRecv` opens by itself. */
export interface SendRecvOverOptions extends SendRecvOptions {
  /**
   * The verbs to run on, such as a host of `@netts/verbs/simulated`. The caller closes them, after the last transport.
   */
  readonly verbs: Verbs
}

/**
 * The builder of transports over RDMA Send and Receive, on InfiniBand, RoCE and iWARP: give it to `connect` or `listen`
 * of `@netts/core`. Both ends have to use this driver. The first `connect` or `listen` loads the RDMA libraries, and
 * rejects with `ERR_NETTS_UNAVAILABLE` if RDMA cannot be used.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, and one of the wrong type or out of range
 */
export function sendRecv(options?: SendRecvOptions): TransportBuilder<SendRecvTransport> {
  return build(checkOptions(options), () => openVerbs())
}

/**
 * The builder of {@link sendRecv} over given verbs, such as a simulated device, for tests without RDMA hardware.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` without `verbs`, and for options as {@link sendRecv}
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
