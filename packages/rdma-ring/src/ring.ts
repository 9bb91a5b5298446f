/** The builders: `ring()` over this machine's RDMA devices, `ringOver()` over others. */
import type { TransportBuilder } from '@netts/core'
import { openVerbs, type Verbs } from '@netts/verbs'
import {
  checkVerbs,
  createRdmaBuilder,
  LEAST_BUFFERS,
  sendPlacesFor,
  TransportMemory,
} from '@netts/verbs/endpoint'
import { checkOptions, type RingConfig, type RingOptions } from './options.js'
import { ringReceives, windowFor } from './protocol/ring-end.js'
import { ringSlab, WINDOW_REQUESTS } from './ring-memory.js'
import type { RingTransport } from './ring-transport.js'
import { PLACES_PER_SEND, REQUESTS_PER_FRAME } from './send-queue.js'
import { RingSession } from './transport.js'

/** Number and version of this protocol in the hello. */
const IDENTITY = { driver: 2, version: 1 } as const

/** Options of {@link ringOver}: those of {@link ring}, and the verbs, which `ring` opens by itself. */
export interface RingOverOptions extends RingOptions {
  /**
   * The verbs to run on, such as a host of `@netts/verbs/simulated`. The caller closes them, after the last transport.
   */
  readonly verbs: Verbs
}

/**
 * The builder of transports over RDMA Write into a ring that the receiver owns, on InfiniBand, RoCE and iWARP: give it
 * to `connect` or `listen` of `@netts/core`. Both ends have to use this driver. The first `connect` or `listen` loads
 * the RDMA libraries, and rejects with `ERR_NETTS_UNAVAILABLE` if RDMA cannot be used.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, and one of the wrong type or out of range
 */
export function ring(options?: RingOptions): TransportBuilder<RingTransport> {
  return build(checkOptions(options), () => openVerbs())
}

/**
 * The builder of {@link ring} over given verbs, such as a simulated device, for tests without RDMA hardware.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` without `verbs`, and for options as {@link ring}
 */
export function ringOver(options: RingOverOptions): TransportBuilder<RingTransport> {
  const config = checkOptions(options, ['verbs'])
  const verbs = checkVerbs(options?.verbs)
  return build(config, () => verbs)
}

function build(config: RingConfig, verbs: () => Verbs): TransportBuilder<RingTransport> {
  return createRdmaBuilder<RingTransport>({
    name: 'rdma-ring',
    identity: IDENTITY,
    options: config,
    maxSendWorkRequests:
      WINDOW_REQUESTS + REQUESTS_PER_FRAME * sendPlacesFor(config.sendDepth, PLACES_PER_SEND),
    maxReceiveWorkRequests: ringReceives(windowFor(config.capacity)),
    slabs: (environment) => [
      ringSlab(environment, config),
      ...TransportMemory.slabsFor(environment, config.bufferSize, LEAST_BUFFERS),
    ],
    session: (endpoint) => new RingSession(endpoint, config),
    verbs,
  })
}
