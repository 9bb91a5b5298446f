/** Chooses the endpoint that serves the next caller, and one of its connections. */
import type { Transport } from '@netts/core'
import type { Checks } from './checks.js'
import type { Connections } from './connections.js'
import type { EndpointMember, EndpointState } from './endpoint-state.js'
import type { EndpointSet } from './endpoints/endpoint-set.js'
import { callbackError, messageOf } from './errors.js'
import type { PoolSettings } from './options.js'
import type { PoolTime } from './time.js'

/** The parts of the pool that a chooser uses. */
export interface ChooserParts<T extends Transport, S> {
  readonly settings: PoolSettings<T, S>
  readonly time: PoolTime
  readonly endpoints: EndpointSet<T, S>
  readonly connections: Connections<T, S>
  readonly checks: Checks<T, S>
}

/** Chooses endpoints and connections for the callers of one pool. */
export class Chooser<T extends Transport, S> {
  readonly #settings: PoolSettings<T, S>
  readonly #time: PoolTime
  readonly #endpoints: EndpointSet<T, S>
  readonly #connections: Connections<T, S>
  readonly #checks: Checks<T, S>
  /** Whether the program's `pick` is running; it may call the pool. */
  isChoosing = false

  constructor({ settings, time, endpoints, connections, checks }: ChooserParts<T, S>) {
    this.#settings = settings
    this.#time = time
    this.#endpoints = endpoints
    this.#connections = connections
    this.#checks = checks
  }

  /**
   * Chooses an endpoint.
   * @param isShort whether more callers wait than attempts to connect are in progress
   * @returns `undefined` when there is no candidate, or `pick` returned it
   * @throws NettsError `ERR_NETTS_INTERNAL` when `pick` threw, or returned something that is not a candidate
   */
  choose(isShort: boolean): EndpointState<T, S> | undefined {
    const candidates = this.#endpoints.candidates(isShort)
    if (candidates.length < 2) return candidates[0]
    let picked: unknown
    this.isChoosing = true
    try {
      picked = this.#settings.pick(candidates)
    } catch (error) {
      throw callbackError('pick', `threw: ${messageOf(error)}`, error)
    } finally {
      this.isChoosing = false
    }
    if (picked === undefined || candidates.includes(picked as EndpointState<T, S>)) {
      return picked as EndpointState<T, S> | undefined
    }
    throw callbackError('pick', 'returned something that is not one of its candidates')
  }

  /** A connection of an endpoint that may be lent; retires those that ended or got input while they were idle. */
  takeAvailable({ available }: EndpointState<T, S>): EndpointMember<T, S> | undefined {
    // Each round returns, or takes one off the list.
    for (;;) {
      const { length } = available
      if (length === 0) return undefined
      const member = this.#settings.isShared ? lessBusyOfTwo(available) : available[length - 1]!
      if (member.users > 0) return member
      const fault = this.#checks.faultOfIdle(member)
      if (fault === undefined) return member
      this.#connections.retire(member, fault)
    }
  }

  /** Whether the connection was idle for so long that it has to be checked. The machine may have slept meanwhile. */
  wasIdleLong(member: EndpointMember<T, S>): boolean {
    if (member.users > 0) return false
    const idleMs = this.#time.wallMs() - member.idleSinceWallMs
    return idleMs >= this.#settings.validateAfterIdleMs || idleMs < 0
  }
}

/** Of two random connections, the one that fewer callers have. */
function lessBusyOfTwo<T extends Transport, S>(
  members: readonly EndpointMember<T, S>[],
): EndpointMember<T, S> {
  const first = Math.floor(Math.random() * members.length)
  const one = members[first]!
  if (members.length === 1) return one
  const second = Math.floor(Math.random() * (members.length - 1))
  const two = members[second < first ? second : second + 1]!
  return two.users < one.users ? two : one
}
