/**
 * Who waits, who has what, and what becomes of a connection that comes back.
 *
 * Opening connections is the {@link Supply}'s, and what time does is the {@link Upkeep}'s.
 */
import { NettsError, type Transport } from '@netts/core'
import type { ClockTimer } from '@netts/core/driver'
import { Checks, type ChecksOwner } from './checks.js'
import type { EndpointMember, EndpointState } from './endpoint-state.js'
import type { EndpointSet } from './endpoints/endpoint-set.js'
import { callbackError, type EndpointError, explained, messageOf } from './errors.js'
import type { Reporter, RetireReason } from './events.js'
import { type Leak, LeakDetector } from './leaks.js'
import { type GiveBack, Lease, type LeaseOwner } from './lease.js'
import { Member, type Opened } from './member.js'
import type { PoolSettings } from './options.js'
import { isLocalCause } from './policy/cause.js'
import { connectionsNeeded } from './policy/sizing.js'
import type { ProcessHold } from './process-hold.js'
import { Supply, type SupplyOwner } from './supply.js'
import type { PoolTime } from './time.js'
import { Upkeep, type UpkeepOwner } from './upkeep.js'
import { Waiters, type WaitersOwner, type WaitLimits } from './waiters.js'

/** A connection that lived for so long has proved that its endpoint can be connected to, in milliseconds. */
const PROVEN_AFTER_MS = 1_000

/** Each connection lives up to so much shorter than the longest: else all that were opened together end together. */
const LIFETIME_JITTER = 0.25

/** What lending needs of its pool. */
export interface LendingOwner {
  /** Whether new callers are served, only those that wait, or nobody. */
  readonly state: 'open' | 'draining' | 'closed'
  /** The last error that kept the pool from knowing its endpoints. */
  readonly listError: NettsError | undefined
  /** Something was opened, closed, lent or given back, or failed. */
  onChange(): void
}

/** What lending is made of. */
export interface LendingParts<T extends Transport, S> {
  readonly settings: PoolSettings<T, S>
  readonly time: PoolTime
  readonly reporter: Reporter
  readonly endpoints: EndpointSet<T, S>
  readonly hold: ProcessHold
  readonly owner: LendingOwner
}

/** See above. */
export class Lending<T extends Transport, S>
  implements LeaseOwner<T, S>, ChecksOwner<T, S>, SupplyOwner<T, S>, UpkeepOwner<T, S>, WaitersOwner
{
  /** Connections that are not closed, of endpoints that left the list too. */
  readonly members = new Set<EndpointMember<T, S>>()
  readonly supply: Supply<T, S>
  readonly waiters: Waiters<Lease<T, S>>
  /** Callers that have a connection. */
  inFlight = 0
  failedAcquires = 0
  readonly #settings: PoolSettings<T, S>
  readonly #time: PoolTime
  readonly #reporter: Reporter
  readonly #endpoints: EndpointSet<T, S>
  readonly #hold: ProcessHold
  readonly #owner: LendingOwner
  readonly #upkeep: Upkeep<T, S>
  readonly #leaks: LeakDetector<T, S> | undefined
  readonly #checks: Checks<T, S>
  /** Whether anybody ever asked for a connection. */
  #hasDemand = false
  #isChoosing = false
  #isFilling = false
  #nextFill: ClockTimer | undefined

  constructor({ settings, time, reporter, endpoints, hold, owner }: LendingParts<T, S>) {
    this.#settings = settings
    this.#time = time
    this.#reporter = reporter
    this.#endpoints = endpoints
    this.#hold = hold
    this.#owner = owner
    this.supply = new Supply(settings, time, endpoints, reporter, this)
    this.#upkeep = new Upkeep(settings, time, endpoints, this)
    this.#checks = new Checks(settings, time, this)
    this.waiters = new Waiters('acquire', time, this)
    if (settings.leakAfterMs > 0) {
      this.#leaks = new LeakDetector(settings.leakAfterMs, (leak) => this.#onLeak(leak))
    }
  }

  /** Whether borrowers are to be remembered by their stacks. */
  get tracesBorrowers(): boolean {
    return this.#leaks !== undefined
  }

  // Lending.

  /** Lends a connection now, or when there is one. Throws what `pick` threw. @param stack the borrower's, if it is traced */
  acquire(limits: WaitLimits, stack: string | undefined): Promise<Lease<T, S>> {
    this.#hasDemand = true
    // Whoever waits already goes first; and a `pick` that asks for a connection has to wait until it has chosen.
    if (this.waiters.length > 0 || this.#isChoosing || limits.signal?.aborted) {
      const waiting = this.#wait(limits, stack)
      this.fill()
      return waiting
    }
    const endpoint = this.#choose()
    const member = endpoint && this.#takeAvailable(endpoint)
    if (member && !this.#wasIdleLong(member)) {
      endpoint.waits.addNone()
      return Promise.resolve(this.#lend(member, stack))
    }
    const waiting = this.#wait(limits, stack)
    if (member) this.#checks.look(member)
    else if (endpoint && this.#needed > 0) this.supply.open(endpoint)
    this.fill()
    return waiting
  }

  /** Lends what can be lent, opens what is needed, and refuses whom nothing is coming for, if it is to fail at once. */
  fill(): void {
    if (this.#isFilling || this.#isChoosing) {
      // A callback of the program's called back into the pool.
      this.#nextFill ??= this.#time.setImmediate(() => {
        this.#nextFill = undefined
        this.fill()
      })
      return
    }
    this.#isFilling = true
    try {
      this.#serveWaiting()
      if (this.#owner.state === 'open') this.supply.refill(this.#hasDemand)
      if (this.#needed > 0) this.#onUncovered()
    } finally {
      this.#isFilling = false
    }
    this.#owner.onChange()
  }

  /** How many connections those that wait need, beyond what is coming. */
  get #needed(): number {
    return this.#neededBeside(this.supply.promising)
  }

  /** Whether somebody waits beside a connection that could be lent. One that is being opened may come later. */
  get #isLendNeeded(): boolean {
    return this.#neededBeside(0) > 0 && this.#endpoints.hasAvailable
  }

  #neededBeside(connecting: number): number {
    const waiting = this.waiters.length
    if (waiting === 0) return 0
    let coming = connecting
    for (const { checking } of this.#endpoints.list) coming += checking
    return connectionsNeeded({ waiting, coming, callersPerConnection: this.#settings.callersPerConnection })
  }

  #serveWaiting(): void {
    // Each turn serves one, opens for one or refuses one. Whoever comes meanwhile waits for the next look.
    for (let turns = this.waiters.length; turns > 0; turns--) {
      const isOpenNeeded = this.#needed > 0
      if (!isOpenNeeded && !this.#isLendNeeded) return
      let endpoint: EndpointState<T, S> | undefined
      try {
        endpoint = this.#choose()
      } catch (error) {
        this.waiters.rejectFirst(error as NettsError)
        continue
      }
      if (!endpoint) return
      const member = this.#takeAvailable(endpoint)
      if (!member) {
        if (isOpenNeeded) this.supply.open(endpoint)
      } else if (this.#wasIdleLong(member)) {
        this.#checks.look(member)
      } else {
        this.#serve(member)
      }
    }
  }

  /** Somebody waits for whom nothing is coming. */
  #onUncovered(): void {
    if (this.#settings.failsWhenExhausted) {
      const last = this.#lastError()
      // One that takes long is coming all the same.
      while (this.#neededBeside(this.supply.connecting) > 0) {
        this.waiters.rejectLast(
          last
            ? new NettsError('ERR_NETTS_CONNECT_FAILED', 'no endpoint can be connected to now')
            : new NettsError('ERR_NETTS_POOL_EXHAUSTED', 'every connection is in use'),
        )
      }
      return
    }
    for (const endpoint of this.#endpoints.list) {
      if (endpoint.failures > 0 || !endpoint.circuit.isClosed) this.supply.wakeForRetry(endpoint)
    }
  }

  /** @throws NettsError `ERR_NETTS_INTERNAL` when `pick` threw, or chose none of the candidates */
  #choose(): EndpointState<T, S> | undefined {
    const candidates = this.#endpoints.candidates(this.#neededBeside(this.supply.connecting) > 0)
    if (candidates.length < 2) return candidates[0]
    let picked: unknown
    this.#isChoosing = true
    try {
      picked = this.#settings.pick(candidates)
    } catch (error) {
      throw callbackError('pick', `threw: ${messageOf(error)}`, error)
    } finally {
      this.#isChoosing = false
    }
    if (picked === undefined || candidates.includes(picked as EndpointState<T, S>)) {
      return picked as EndpointState<T, S> | undefined
    }
    throw callbackError('pick', 'chose none of its candidates')
  }

  /** A connection that may be lent, if its rest did it no harm. */
  #takeAvailable({ available }: EndpointState<T, S>): EndpointMember<T, S> | undefined {
    for (;;) {
      const { length } = available
      if (length === 0) return undefined
      const member = this.#settings.isShared ? lessBusyOfTwo(available) : available[length - 1]!
      if (member.users > 0) return member
      const fault = this.#checks.faultOfIdle(member)
      if (fault === undefined) return member
      this.retire(member, fault)
    }
  }

  /** Whether nobody had it for so long that it has to be looked at. The machine may have slept meanwhile. */
  #wasIdleLong(member: EndpointMember<T, S>): boolean {
    if (member.users > 0) return false
    const idleMs = this.#time.wallMs() - member.idleSinceWallMs
    return idleMs >= this.#settings.validateAfterIdleMs || idleMs < 0
  }

  #lend(member: EndpointMember<T, S>, stack: string | undefined): Lease<T, S> {
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

  /** Lends it to those that have waited longest. */
  #serve(member: EndpointMember<T, S>): void {
    while (
      this.waiters.length > 0 &&
      member.state === 'ready' &&
      member.users < this.#settings.callersPerConnection
    ) {
      const waitedMs = this.waiters.serve((stack) => this.#lend(member, stack))
      member.endpoint.waits.add(waitedMs)
    }
  }

  /** It may be lent from now on. */
  offer(member: EndpointMember<T, S>): void {
    this.#serve(member)
    if (member.state !== 'ready' || member.users >= this.#settings.callersPerConnection) return
    if (member.users === 0 && this.#owner.state !== 'open') {
      this.retire(member, 'closed')
      return
    }
    member.endpoint.list(member)
    if (member.users === 0) this.#upkeep.onIdle(member.idleSinceWallMs)
  }

  #wait(limits: WaitLimits, stack: string | undefined): Promise<Lease<T, S>> {
    const { maxWaiters } = this.#settings
    if (this.#owner.state === 'closed') {
      // Its `pick` closed the pool.
      return Promise.reject(this.explain(new NettsError('ERR_NETTS_CLOSED', 'the pool is closed')))
    }
    if (this.waiters.length < maxWaiters) return this.waiters.wait(limits, stack)
    const what = `no connection is free, and ${maxWaiters} callers wait already (maxWaiters)`
    return Promise.reject(this.explain(new NettsError('ERR_NETTS_POOL_EXHAUSTED', what)))
  }

  // Giving back.

  giveBack(lease: Lease<T, S>, member: EndpointMember<T, S>, ending: GiveBack): void {
    this.#leaks?.onGiveBack(lease)
    this.#takeBack(member)
    if (ending.how !== 'reuse') {
      this.#discard(member, ending)
    } else if (member.state === 'ready') {
      const fault = this.#faultOfReturned(member)
      if (fault === undefined) {
        this.#onReturned(member)
        return
      }
      this.retire(member, fault)
    }
    this.fill()
  }

  #takeBack(member: EndpointMember<T, S>): void {
    const { endpoint } = member
    endpoint.onGiveBack(member, this.#time.wallMs())
    this.inFlight--
    this.#hold.release()
    if (this.#settings.isShared) this.#upkeep.onUnshare(member)
    if (member.state === 'retired' && member.users === 0) void member.connection.close()
  }

  /** Its borrower does not want it any more, or says what is wrong with it. */
  #discard(member: EndpointMember<T, S>, ending: Exclude<GiveBack, { how: 'reuse' }>): void {
    const error = 'error' in ending && ending.error !== undefined ? ending.error : undefined
    this.retire(member, 'released')
    if (ending.how === 'destroy') member.connection.destroy(error)
    if (ending.how === 'fail') this.#onFailure(member.endpoint, releaseError(error))
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
    if (!this.#checks.reset(member)) this.offer(member)
    if (this.#owner.state !== 'open') this.#owner.onChange()
  }

  // The ends of connections.

  retire(member: EndpointMember<T, S>, reason: RetireReason): void {
    if (member.state === 'retired' || member.state === 'closed') return
    member.endpoint.onRetire(member)
    if (member.users === 0) void member.connection.close()
    this.#reporter.tell({ type: 'retire', endpoint: member.endpoint.address, reason, error: undefined })
  }

  onOpened(endpoint: EndpointState<T, S>, opened: Opened<T, S>): void {
    const nowMs = this.#time.nowMs()
    const wallMs = this.#time.wallMs()
    const lifetimeMs = this.#settings.maxLifetimeMs * (1 - Math.random() * LIFETIME_JITTER)
    const member = new Member(endpoint, opened, nowMs, wallMs + lifetimeMs)
    endpoint.add(member, wallMs)
    this.members.add(member)
    this.#endpoints.count(1)
    if (lifetimeMs < Infinity) this.#upkeep.wakeAt(nowMs + lifetimeMs)
    void opened.connection.closed.then((error) => this.#onClosed(member, error))
    void opened.connection.peerEnded.then(() => this.#onPeerEnded(member))
    this.offer(member)
    this.fill()
  }

  #onPeerEnded(member: EndpointMember<T, S>): void {
    member.hasPeerEnded = true
    // It resolves also when the connection is closed; that is looked at by itself.
    if (member.users > 0 || member.state !== 'ready' || member.connection.state === 'closed') return
    this.retire(member, 'ended')
    if (!member.isProven) this.#onUnprovenEnd(member, undefined)
    this.fill()
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
      this.#onFailure(endpoint, error)
    }
    this.fill()
  }

  #onUnprovenEnd(member: EndpointMember<T, S>, error: NettsError | undefined): void {
    const { endpoint } = member
    if (this.#time.nowMs() - member.bornMs >= PROVEN_AFTER_MS) {
      endpoint.onConnectProven(member)
    } else if (!error || !isLocalCause(error)) {
      this.supply.onStillborn(member, error ?? endedAtOnce(endpoint))
    }
  }

  onAttemptFailed(_endpoint: EndpointState<T, S>, error: NettsError, isFinal: boolean): void {
    if (isFinal || (this.#settings.failsWhenExhausted && this.#neededBeside(this.#hopefulAttempts) > 0)) {
      this.waiters.rejectFirst(
        new NettsError('ERR_NETTS_CONNECT_FAILED', 'no connection could be opened', { cause: error }),
      )
    }
    this.fill()
  }

  /** Attempts at endpoints that did not fail. */
  get #hopefulAttempts(): number {
    let hopeful = 0
    for (const { failures, connecting } of this.#endpoints.list) if (failures === 0) hopeful += connecting
    return hopeful
  }

  onCancelled(): void {
    this.fill()
  }

  #onFailure(endpoint: EndpointState<T, S>, error: NettsError): void {
    endpoint.onError(error)
    if (endpoint.circuit.onFailure(this.#time.nowMs())) this.onDown(endpoint)
  }

  onDown(endpoint: EndpointState<T, S>): void {
    const probeAfterMs = Math.max(0, (endpoint.circuit.openUntilMs ?? 0) - this.#time.nowMs())
    const { address, lastError: error } = endpoint
    if (this.#endpoints.isOut(endpoint)) this.#retireIdle(endpoint, 'down')
    this.#reporter.tell({ type: 'endpoint-down', endpoint: address, error, probeAfterMs })
  }

  /** An endpoint left the list. */
  onRemoved(endpoint: EndpointState<T, S>): void {
    const gone = new NettsError('ERR_NETTS_CLOSED', 'the endpoint left the list', {
      address: endpoint.address,
    })
    this.supply.abandon(endpoint, gone)
    for (const member of [...endpoint.members]) this.retire(member, 'removed')
  }

  #retireIdle(endpoint: EndpointState<T, S>, reason: RetireReason): void {
    for (const member of [...endpoint.members]) if (member.users === 0) this.retire(member, reason)
  }

  /** Nobody new comes: what nobody has is closed, unless somebody waits for it. */
  drain(): void {
    if (this.waiters.length > 0) return
    for (const member of [...this.members]) if (member.users === 0) this.retire(member, 'closed')
  }

  /** Refuses who waits, gives up attempts, and closes every connection, lent ones too. */
  close(error: NettsError): void {
    this.supply.stop(error)
    this.#upkeep.stop()
    this.#checks.stop(error)
    this.waiters.rejectAll(() => error)
    for (const member of [...this.members]) {
      this.retire(member, 'closed')
      void member.connection.close()
    }
  }

  // For the upkeep.

  wakeAt(atMs: number): void {
    this.#upkeep.wakeAt(atMs)
  }

  onLook(): void {
    this.fill()
  }

  checkLeaks(nowMs: number): number {
    return this.#leaks?.check(nowMs) ?? Infinity
  }

  grow(): void {
    let best: EndpointState<T, S> | undefined
    const load = (endpoint: EndpointState<T, S>) => endpoint.staying / endpoint.weight
    for (const endpoint of this.#endpoints.list) {
      if (endpoint.failures > 0 || this.#endpoints.isOut(endpoint) || !this.#endpoints.hasRoom(endpoint))
        continue
      if (!best || load(endpoint) < load(best)) best = endpoint
    }
    if (best) this.supply.open(best)
  }

  #onLeak({ member, stack, sinceMs, isCollected }: Leak<T, S>): void {
    const lentForMs = this.#time.nowMs() - sinceMs
    if (isCollected) {
      this.#takeBack(member)
      this.retire(member, 'leaked')
    }
    this.#reporter.tell({ type: 'leak', endpoint: member.endpoint.address, lentForMs, stack, isCollected })
    if (isCollected) this.fill()
  }

  // For those that wait.

  explain(error: NettsError): NettsError {
    const { idle, lent } = this.#endpoints.sums
    const counts = { idle, lent, connecting: this.supply.connecting, waiting: this.waiters.length }
    const full = explained(error, counts, this.#lastError())
    this.failedAcquires++
    this.#reporter.tell({ type: 'acquire-failed', error: full })
    return full
  }

  onWait(): void {
    this.#hold.hold()
  }

  onLeave(): void {
    this.#hold.release()
    if (this.#owner.state === 'draining') this.#owner.onChange()
  }

  #lastError(): EndpointError | undefined {
    const { listError } = this.#owner
    return this.#endpoints.lastError ?? (listError && { endpoint: undefined, error: listError })
  }
}

/** Of two by chance, the one that fewer callers have. */
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

/** What a borrower gave a connection back with. */
function releaseError(error: unknown): NettsError {
  if (error instanceof NettsError) return error
  return new NettsError('ERR_NETTS_CONNECT_FAILED', `a borrower gave it back with: ${messageOf(error)}`, {
    cause: error,
    operation: 'release',
  })
}

function endedAtOnce({ address }: { readonly address: NettsError['address'] }): NettsError {
  return new NettsError('ERR_NETTS_CONNECT_FAILED', 'the peer ended a new connection at once', {
    operation: 'connect',
    ...(address && { address }),
  })
}
