/** Connecting within a deadline, as builders do. */
import type { ConnectOptions, HostAddress } from '@netts/core'
import { withDeadline } from '@netts/core/driver'
import { connectEndpoint } from '../../lib/endpoint/connector.js'
import type { Endpoint, EndpointOptions } from '../../lib/endpoint/endpoint-session.js'
import { patientClock } from '../../lib/endpoint/patient-clock.js'
import type { Verbs } from '../../lib/verbs/verbs.js'

/** `connectEndpoint` until the signal is aborted or the deadline passes. */
export function connectWithin(
  verbs: Verbs,
  address: HostAddress,
  options: EndpointOptions,
  { signal, timeoutMs = 0 }: ConnectOptions,
): Promise<Endpoint> {
  return withDeadline({
    operation: 'connect',
    address,
    signal,
    timeoutMs,
    clock: patientClock(verbs.clock),
    start: (ended) => connectEndpoint(verbs, address, options, ended),
    dispose: (endpoint) => endpoint.close(),
  })
}
