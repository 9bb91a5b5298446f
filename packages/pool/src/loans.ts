/** Lends connections, takes them back, and decides whether a connection that comes back is lent again. */
import { isNettsError, NettsError, type Transport } from '@netts/core'
import type { Checks } from './checks.js'
import type { Connections } from './connections.js'
import type { EndpointMember } from './endpoint-state.js'
import type { EndpointSet } from './endpoints/endpoint-set.js'
import { messageOf } from './errors.js'
import type { Reporter, RetireReason } from './events.js'
import { type Leak, LeakDetector } from './leaks.js'
import { type GiveBack, Lease, type LeaseOwner } from './lease.js'
import type { PoolSettings } from './options.js'
import type { ProcessHold } from './process-hold.js'
import type { PoolTime } from './time.js'
import type { Upkeep } from './upkeep.js'

/** What loans call in their pool. */
export interface LoansOwner<T extends Transport, S> {
  /** The connection may be lent. */
  offer(member: EndpointMember<T, S>): void
  /** A connection came back in order. */
  onReturn(): void
  /** A connection came back that is not lent again: the callers that wait may need another one. */
  fill(): void
}

/** The parts of the pool that loans use. */
export interface LoansParts<T extends Transport, S> {
  readonly settings: PoolSettings<T, S>
  readonly time: PoolTime
  readonly reporter: Reporter
  readonly endpoints: EndpointSet<T, S>
  readonly hold: ProcessHold
  readonly connections: Connections<T, S>
  readonly checks: Checks<T, S>
  readonly upkeep: Upkeep<T, S>
  readonly owner: LoansOwner<T, S>
}

/** The loans of one pool. */
export class Loans<T extends Transport, S> implements LeaseOwner<T, S> {
  /** How many callers have a connection. */
  inFlight = 0
  readonly #settings: PoolSettings<T, S>
  readonly #time: PoolTime
  readonly #reporter: Reporter
  readonly #endpoints: EndpointSet<T, S>
  readonly #hold: ProcessHold
  readonly #connections: Connections<T, S>
  readonly #checks: Checks<T, S>
  readonly #upkeep: Upkeep<T, S>
  readonly #owner: LoansOwner<T, S>
  readonly #leaks: LeakDetector<T, S> | undefined

  constructor(parts: LoansParts<T, S>) {
    this.#settings = parts.settings
    this.#time = parts.time
    this.#reporter = parts.reporter
    this.#endpoints = parts.endpoints
    this.#hold = parts.hold
    this.#connections = parts.connections
    this.#checks = parts.checks
    this.#upkeep = parts.upkeep
    this.#owner = parts.owner
    const { leakAfterMs } = parts.settings
    if (leakAfterMs > 0) this.#leaks = new LeakDetector(leakAfterMs, (leak) => this.#onLeak(leak))
  }

  /** Whether the stack of each borrower is recorded, for leaks. */
  get tracesBorrowers(): boolean {
    return this.#leaks !== undefined
  }

  /** Lends a connection to one more caller. @param stack the stack of the borrower, if it is recorded */
  lend(member: EndpointMember<T, S>, stack: string | undefined): Lease<T, S> {
    const { endpoint } = member
    endpoint.onLend(member)
    this.inFlight++
    this.#hold.hold()
    if (member.users >= this.#settings.callersPerConnection) endpoint.unlist(member)
    if (this.#settings.isShared) this.#upkeep.onShare(member)
    const lease = new Lease(this, member)
    if (this.#leaks) {
      const nowMs = this.#time.nowMs()
      this.#leaks.onLend(lease, member, nowMs, stack ?? '')
      this.#upkeep.wakeAt(nowMs + this.#settings.leakAfterMs)
    }
    return lease
  }

  giveBack(lease: Lease<T, S>, member: EndpointMember<T, S>, ending: GiveBack): void {
    this.#leaks?.onGiveBack(lease)
    // Before anything else closes it, so that operations that wait reject with the error of `destroy`.
    if (ending.how === 'destroy') member.connection.destroy(ending.error)
    this.#takeBack(member)
    if (ending.how !== 'reuse') {
      this.#discard(member, ending)
    } else if (member.state === 'ready') {
      const fault = this.#faultOfReturned(member)
      if (fault === undefined) {
        this.#onReturned(member)
        return
      }
      this.#connections.retire(member, fault)
    }
    this.#owner.fill()
  }

  /** Reports overdue loans. @returns when the next one is overdue, on the monotonic clock, or Infinity */
  checkLeaks(nowMs: number): number {
    return this.#leaks?.check(nowMs) ?? Infinity
  }

  #takeBack(member: EndpointMember<T, S>): void {
    const { endpoint } = member
    endpoint.onGiveBack(member, this.#time.wallMs())
    this.inFlight--
    this.#hold.release()
    if (this.#settings.isShared) this.#upkeep.onUnshare(member)
    if (member.state === 'retired' && member.users === 0) void member.connection.close()
  }

  /** The borrower closed or destroyed it, or gave it back with an error. */
  #discard(member: EndpointMember<T, S>, ending: Exclude<GiveBack, { how: 'reuse' }>): void {
    this.#connections.retire(member, 'released')
    if (ending.how === 'fail') this.#connections.onFailure(member.endpoint, releaseError(ending.error))
  }

  /** Why a connection that came back is not lent again; `undefined` when it is. */
  #faultOfReturned(member: EndpointMember<T, S>): RetireReason | undefined {
    const { maxUses, isShared } = this.#settings
    if (member.hasEnded) return 'ended'
    if (!isShared && member.hasLeftovers) return 'unclean'
    if (member.uses >= maxUses) return 'uses'
    if (member.users > 0) return undefined
    if (member.expiresWallMs <= member.idleSinceWallMs) return 'lifetime'
    if (!member.endpoint.circuit.isClosed && this.#endpoints.isOut(member.endpoint)) return 'down'
    return undefined
  }

  /** It came back in order. */
  #onReturned(member: EndpointMember<T, S>): void {
    member.isProven = true
    member.endpoint.onSuccess(member)
    if (member.isReferenced) {
      member.isReferenced = false
      member.connection.unref()
    }
    if (!this.#checks.reset(member)) this.#owner.offer(member)
    this.#owner.onReturn()
  }

  #onLeak({ member, stack, sinceMs, isCollected }: Leak<T, S>): void {
    const lentForMs = this.#time.nowMs() - sinceMs
    if (isCollected) {
      this.#takeBack(member)
      this.#connections.retire(member, 'leaked')
    }
    this.#reporter.tell({ type: 'leak', endpoint: member.endpoint.address, lentForMs, stack, isCollected })
    if (isCollected) this.#owner.fill()
  }
}

/** The argument of `release`, as a NettsError. */
function releaseError(error: unknown): NettsError {
  if (isNettsError(error)) return error
  return new NettsError('ERR_NETTS_CONNECT_FAILED', `released with an error: ${messageOf(error)}`, {
    cause: error,
    operation: 'release',
  })
}
