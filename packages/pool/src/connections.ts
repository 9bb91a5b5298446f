/**
 * The connections of a pool from when they are open until they are closed, and what each end means for its endpoint.
 * {@link Supply} opens them.
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

/** A connection that lived for this long has proved that its endpoint can be connected to, in milliseconds. */
const PROVEN_AFTER_MS = 1_000

/** By which part the lifetime of a connection is shortened at most, so that connections do not end together. */
const LIFETIME_JITTER = 0.25

/** The parts of the pool that connections use. */
export interface ConnectionsParts<T extends Transport, S> {
  readonly maxLifetimeMs: number
  readonly time: PoolTime
  readonly reporter: Reporter
  readonly endpoints: EndpointSet<T, S>
  readonly supply: Supply<T, S>
  readonly upkeep: Upkeep<T, S>
  /** A connection ended: the callers that wait may need another one. */
  readonly onEnd: () => void
}

/** The connections of one pool. */
export class Connections<T extends Transport, S> {
  /** All connections that are not closed, those to endpoints that left the list included. */
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

  /** Adds a connection that was opened. No caller has it. */
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

  /** The connection is not lent again. It is closed when no caller has it. */
  retire(member: EndpointMember<T, S>, reason: RetireReason): void {
    if (member.state === 'retired' || member.state === 'closed') return
    member.endpoint.onRetire(member)
    if (member.users === 0) void member.connection.close()
    this.#reporter.tell({ type: 'retire', endpoint: member.endpoint.address, reason, error: undefined })
  }

  /** Retires those of `members` that no caller has. */
  retireUnused(members: Iterable<EndpointMember<T, S>>, reason: RetireReason): void {
    for (const member of [...members]) if (member.users === 0) this.retire(member, reason)
  }

  /** Closes all connections, lent ones too. */
  closeAll(): void {
    for (const member of [...this.members]) {
      this.retire(member, 'closed')
      void member.connection.close()
    }
  }

  /** A connection failed while it was lent, or was released with an error. */
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
    // `peerEnded` also resolves when the connection is closed; `onClosed` handles that.
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
  return new NettsError('ERR_NETTS_CONNECT_FAILED', 'the peer ended the new connection at once', {
    operation: 'connect',
    ...(address && { address }),
  })
}
