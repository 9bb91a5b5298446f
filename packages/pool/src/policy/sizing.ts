/** How many connections are to be opened: decisions without I/O. */

/** What is known when callers wait. */
export interface Demand {
  /** Callers that wait. */
  readonly waiting: number
  /** Connections that are coming: being opened, or being checked or reset before they are lent again. */
  readonly coming: number
  /** How many callers one connection serves at a time: 1 in `lease` mode. */
  readonly callersPerConnection: number
}

/** How many more connections the waiting callers need, beyond what is coming; never more than callers wait. */
export function connectionsNeeded({ waiting, coming, callersPerConnection }: Demand): number {
  if (waiting === 0) return 0
  const needed = callersPerConnection === Infinity ? 1 : Math.ceil(waiting / callersPerConnection)
  return Math.max(0, needed - coming)
}

/** What limits the opening of connections at one endpoint. */
export interface Room {
  /** Connections that exist, those that are still closing included. */
  readonly open: number
  readonly connecting: number
  /** The most that may exist or be opened at the endpoint. */
  readonly max: number
  /** The most that may be opened at the endpoint at a time. */
  readonly maxConnecting: number
  /** Whether the last round of attempts there failed: then one at a time is enough to find out. */
  readonly isFailing: boolean
}

/** Whether an endpoint has room for one more attempt to connect. */
export function hasRoom({ open, connecting, max, maxConnecting, isFailing }: Room): boolean {
  return open + connecting < max && connecting < (isFailing ? 1 : maxConnecting)
}

/**
 * Whether so many endpoints are out that traffic goes on to all of them: the only one always, and with more than
 * `maxEjected` of them out.
 */
export function isPanic(endpoints: number, ejected: number, maxEjected: number): boolean {
  return endpoints <= 1 || ejected > endpoints * maxEjected
}
