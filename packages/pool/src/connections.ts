/**
 * The connections of a pool, from their opening to their end, and what their ends say about their endpoints.
 *
 * Opening them is the {@link Supply}'s.
 */
import { NettsError, type Transport } from '@netts/core'
import type { EndpointMember, EndpointState } from './endpoint-state.js'
import type { EndpointSet } from './endpoints/endpoint-set.js'
import type { Reporter, RetireReason } from './events.js'
import { Member, type Opened } from './member.js'
import { isLocalCause } from './policy/cause.js'
import type { Supply } from './supply.js'
import type { PoolTime } from './time.js'
import type { Upkeep } from './upkeep.js'

/** A connection that lived for so long has proved that its endpoint can be connected to, in milliseconds. */
const PROVEN_AFTER_MS = 1_000

/** Each connection lives up to so much shorter than the longest: else all that were opened together end together. */
const LIFETIME_JITTER = 0.25

/** What connections are kept with. */
export interface ConnectionsParts<T extends Transport, S> {
  readonly maxLifetimeMs: number
  readonly time: PoolTime
  readonly reporter: Reporter
  readonly endpoints: EndpointSet<T, S>
  readonly supply: Supply<T, S>
  readonly upkeep: Upkeep<T, S>
  /** A connection ended: those that wait may need another one. */
  readonly onEnd: () => void
}

/** See above. */
export class Connections<T extends Transport, S> {
  /** All that are not closed, of endpoints that left the list too. */
  readonly members = new Set<EndpointMember<T, S>>()
  readonly #maxLifetimeMs: number
  readonly #time: PoolTime
  readonly #reporter: Reporter
  readonly #endpoints: EndpointSet<T, S>
  readonly #supply: Supply<T, S>
  readonly #upkeep: Upkeep<T, S>
  readonly #onEnd: () => void

  constructor(parts: ConnectionsParts<T, S>) {
    this.#maxLifetimeMs = parts.maxLifetimeMs
    this.#time = parts.time
    this.#reporter = parts.reporter
    this.#endpoints = parts.endpoints
    this.#supply = parts.supply
    this.#upkeep = parts.upkeep
    this.#onEnd = parts.onEnd
  }

  /** A connection was opened. Nobody has it. */
  add(endpoint: EndpointState<T, S>, opened: Opened<T, S>): EndpointMember<T, S> {
    const nowMs = this.#time.nowMs()
    const wallMs = this.#time.wallMs()
    const lifetimeMs = this.#maxLifetimeMs * (1 - Math.random() * LIFETIME_JITTER)
    const member = new Member(endpoint, opened, nowMs, wallMs + lifetimeMs)
    endpoint.add(member, wallMs)
    this.members.add(member)
    this.#endpoints.count(1)
    if (lifetimeMs < Infinity) this.#upkeep.wakeAt(nowMs + lifetimeMs)
    void opened.connection.closed.then((error) => this.#onClosed(member, error))
    void opened.connection.peerEnded.then(() => this.#onPeerEnded(member))
    return member
  }

  /** Nobody gets it any more. It is closed when nobody has it. */
  retire(member: EndpointMember<T, S>, reason: RetireReason): void {
    if (member.state === 'retired' || member.state === 'closed') return
    member.endpoint.onRetire(member)
    if (member.users === 0) void member.connection.close()
    this.#reporter.tell({ type: 'retire', endpoint: member.endpoint.address, reason, error: undefined })
  }

  /** Retires those of some that nobody has. */
  retireUnused(members: Iterable<EndpointMember<T, S>>, reason: RetireReason): void {
    for (const member of [...members]) if (member.users === 0) this.retire(member, reason)
  }

  /** Closes all, lent ones too. */
  closeAll(): void {
    for (const member of [...this.members]) {
      this.retire(member, 'closed')
      void member.connection.close()
    }
  }

  /** A connection failed while it was in use, or its borrower says so. */
  onFailure(endpoint: EndpointState<T, S>, error: NettsError): void {
    endpoint.onError(error)
    if (endpoint.circuit.onFailure(this.#time.nowMs())) this.onDown(endpoint)
  }

  /** The circuit breaker of an endpoint opened. */
  onDown(endpoint: EndpointState<T, S>): void {
    const probeAfterMs = Math.max(0, (endpoint.circuit.openUntilMs ?? 0) - this.#time.nowMs())
    const { address, lastError: error } = endpoint
    if (this.#endpoints.isOut(endpoint)) this.retireUnused(endpoint.members, 'down')
    this.#reporter.tell({ type: 'endpoint-down', endpoint: address, error, probeAfterMs })
  }

  /** An endpoint left the list. */
  onRemoved(endpoint: EndpointState<T, S>): void {
    const gone = new NettsError('ERR_NETTS_CLOSED', 'the endpoint left the list', {
      address: endpoint.address,
    })
    this.#supply.abandon(endpoint, gone)
    for (const member of [...endpoint.members]) this.retire(member, 'removed')
  }

  #onPeerEnded(member: EndpointMember<T, S>): void {
    member.hasPeerEnded = true
    // It resolves also when the connection is closed; that is looked at by itself.
    if (member.users > 0 || member.state !== 'ready' || member.connection.state === 'closed') return
    this.retire(member, 'ended')
    if (!member.isProven) this.#onUnprovenEnd(member, undefined)
    this.#onEnd()
  }

  #onClosed(member: EndpointMember<T, S>, error: NettsError | undefined): void {
    const { endpoint, users, state } = member
    endpoint.onClosed(member)
    this.members.delete(member)
    this.#endpoints.count(-1)
    if (state !== 'retired') {
      const reason = error ? 'lost' : 'ended'
      this.#reporter.tell({ type: 'retire', endpoint: endpoint.address, reason, error })
      if (!member.isProven) this.#onUnprovenEnd(member, error)
    }
    if (error && users > 0 && !isLocalCause(error)) {
      endpoint.lost++
      this.onFailure(endpoint, error)
    }
    this.#onEnd()
  }

  #onUnprovenEnd(member: EndpointMember<T, S>, error: NettsError | undefined): void {
    const { endpoint } = member
    if (this.#time.nowMs() - member.bornMs >= PROVEN_AFTER_MS) {
      endpoint.onConnectProven(member)
    } else if (!error || !isLocalCause(error)) {
      this.#supply.onStillborn(member, error ?? endedAtOnce(endpoint))
    }
  }
}

function endedAtOnce({ address }: { readonly address: NettsError['address'] }): NettsError {
  return new NettsError('ERR_NETTS_CONNECT_FAILED', 'the peer ended a new connection at once', {
    operation: 'connect',
    ...(address && { address }),
  })
}
