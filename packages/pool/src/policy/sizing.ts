/** How many connections are opened: decisions without I/O. */

/** What {@link connectionsNeeded} decides from. */
export interface Demand {
  /** Callers that wait. */
  readonly waiting: number
  /** Connections that are being opened, checked or reset, and can be lent soon. */
  readonly coming: number
  /** How many callers one connection serves at a time: 1 in `lease` mode. */
  readonly callersPerConnection: number
}

/** How many more connections the waiting callers need, in addition to those that are coming. */
export function connectionsNeeded({ waiting, coming, callersPerConnection }: Demand): number {
  if (waiting === 0) return 0
  const needed = callersPerConnection === Infinity ? 1 : Math.ceil(waiting / callersPerConnection)
  return Math.max(0, needed - coming)
}

/** What limits the opening of connections at one endpoint. */
export interface Room {
  /** Connections that are not closed, those that are closing included. */
  readonly open: number
  /** Attempts to connect that are in progress. */
  readonly connecting: number
  /** The most connections and attempts together. */
  readonly max: number
  /** The most concurrent attempts. */
  readonly maxConnecting: number
  /** Whether the last round of attempts failed: then one attempt at a time is made. */
  readonly isFailing: boolean
}

/** Whether an endpoint has room for one more attempt to connect. */
export function hasRoom({ open, connecting, max, maxConnecting, isFailing }: Room): boolean {
  return open + connecting < max && connecting < (isFailing ? 1 : maxConnecting)
}

/**
 * Whether circuit breakers are ignored, because traffic would have too few endpoints left: with a single endpoint, and
 * when more than the share `maxEjected` of them is out.
 */
export function isPanic(endpoints: number, ejected: number, maxEjected: number): boolean {
  return endpoints <= 1 || ejected > endpoints * maxEjected
}
