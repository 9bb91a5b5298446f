/**
 * Serves the callers that wait for a connection in order, or refuses them.
 *
 * It puts the parts of a pool together: {@link Supply} opens connections, {@link Connections} keeps them until they end,
 * {@link Chooser} picks the next one, {@link Loans} lends them, {@link Checks} checks them between two borrowers, and
 * {@link Upkeep} does what is due.
 */
import { NettsError, type Transport } from '@netts/core'
import type { ClockTimer } from '@netts/core/driver'
import { Checks } from './checks.js'
import { Chooser } from './chooser.js'
import { Connections } from './connections.js'
import type { EndpointMember, EndpointState } from './endpoint-state.js'
import type { EndpointSet } from './endpoints/endpoint-set.js'
import { type EndpointError, explained } from './errors.js'
import type { Reporter } from './events.js'
import type { Lease } from './lease.js'
import { Loans, type LoansOwner } from './loans.js'
import type { PoolSettings } from './options.js'
import { connectionsNeeded } from './policy/sizing.js'
import type { ProcessHold } from './process-hold.js'
import { Supply } from './supply.js'
import type { PoolTime } from './time.js'
import { Upkeep } from './upkeep.js'
import { Waiters, type WaitersOwner, type WaitLimits } from './waiters.js'

/** What lending needs of its pool. */
export interface LendingOwner {
  /** The state of the pool. */
  readonly state: 'open' | 'draining' | 'closed'
  /** The last error of the list of endpoints; `undefined` once a list came. */
  readonly listError: NettsError | undefined
  /** A connection was opened, closed, lent or given back, or an attempt failed. */
  onChange(): void
}

/** The parts of the pool that lending uses. */
export interface LendingParts<T extends Transport, S> {
  readonly settings: PoolSettings<T, S>
  readonly time: PoolTime
  readonly reporter: Reporter
  readonly endpoints: EndpointSet<T, S>
  readonly hold: ProcessHold
  readonly owner: LendingOwner
}

/** Lends the connections of one pool. */
export class Lending<T extends Transport, S> implements LoansOwner<T, S>, WaitersOwner {
  readonly supply: Supply<T, S>
  readonly connections: Connections<T, S>
  readonly loans: Loans<T, S>
  readonly waiters: Waiters<Lease<T, S>>
  failedAcquires = 0
  readonly #settings: PoolSettings<T, S>
  readonly #time: PoolTime
  readonly #reporter: Reporter
  readonly #endpoints: EndpointSet<T, S>
  readonly #hold: ProcessHold
  readonly #owner: LendingOwner
  readonly #upkeep: Upkeep<T, S>
  readonly #checks: Checks<T, S>
  readonly #chooser: Chooser<T, S>
  /** Whether `acquire` was ever called. */
  #hasDemand = false
  #isFilling = false
  #nextFill: ClockTimer | undefined

  constructor({ settings, time, reporter, endpoints, hold, owner }: LendingParts<T, S>) {
    this.#settings = settings
    this.#time = time
    this.#reporter = reporter
    this.#endpoints = endpoints
    this.#hold = hold
    this.#owner = owner
    const { maxLifetimeMs } = settings
    const fill = () => this.fill()
    const retire: Connections<T, S>['retire'] = (member, reason) => connections.retire(member, reason)
    const supply = new Supply(settings, time, endpoints, reporter, {
      onOpened: (endpoint, opened) => {
        this.offer(connections.add(endpoint, opened))
        this.fill()
      },
      onAttemptFailed: (error, isFinal) => this.#onAttemptFailed(error, isFinal),
      onCancelled: fill,
      onDown: (endpoint) => connections.onDown(endpoint),
      wakeAt: (atMs) => upkeep.wakeAt(atMs),
    })
    const upkeep = new Upkeep(settings, time, endpoints, {
      retire,
      onLook: fill,
      checkLeaks: (nowMs) => this.loans.checkLeaks(nowMs),
      grow: () => supply.grow(),
    })
    const connections = new Connections({
      ...{ maxLifetimeMs, time, reporter, endpoints, supply, upkeep },
      onEnd: fill,
    })
    const checks = new Checks(settings, time, { offer: (member) => this.offer(member), retire, fill })
    this.loans = new Loans({
      ...{ settings, time, reporter, endpoints, hold, connections, checks, upkeep },
      owner: this,
    })
    this.waiters = new Waiters('acquire', time, this)
    this.supply = supply
    this.connections = connections
    this.#upkeep = upkeep
    this.#checks = checks
    this.#chooser = new Chooser({ settings, time, endpoints, connections, checks })
  }

  /** Lends a connection now, or when one is free. @param stack the stack of the borrower, if it is recorded */
  acquire(limits: WaitLimits, stack: string | undefined): Promise<Lease<T, S>> {
    this.#hasDemand = true
    // Callers that wait already go first. A `pick` that calls `acquire` waits until it has returned.
    if (this.waiters.length > 0 || this.#chooser.isChoosing || limits.signal?.aborted) {
      const waiting = this.#wait(limits, stack)
      this.fill()
      return waiting
    }
    let endpoint: EndpointState<T, S> | undefined
    try {
      endpoint = this.#choose()
    } catch (error) {
      return Promise.reject(this.explain(error as NettsError))
    }
    const member = endpoint && this.#chooser.takeAvailable(endpoint)
    if (member && !this.#chooser.wasIdleLong(member)) {
      member.endpoint.waits.addNone()
      return Promise.resolve(this.loans.lend(member, stack))
    }
    const waiting = this.#wait(limits, stack)
    if (member) this.#checks.look(member)
    else if (endpoint && this.#needed > 0) this.supply.open(endpoint)
    this.fill()
    return waiting
  }

  /** Serves waiting callers, opens the connections that they need, and with `exhausted: 'fail'` refuses the others. */
  fill(): void {
    if (this.#isFilling || this.#chooser.isChoosing) {
      // A function of the program called the pool.
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

  /** How many connections the waiting callers need, in addition to those that are coming. */
  get #needed(): number {
    return this.#neededBeside(this.supply.promising)
  }

  /** Whether a caller waits although a connection could be lent. A connection that is being opened may come later. */
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
    // Each round serves one caller, opens a connection for one, or refuses one. New callers wait for the next call.
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
      const member = this.#chooser.takeAvailable(endpoint)
      if (!member) {
        if (isOpenNeeded) this.supply.open(endpoint)
      } else if (this.#chooser.wasIdleLong(member)) {
        this.#checks.look(member)
      } else {
        this.#serve(member)
      }
    }
  }

  /** Callers wait, and no connection is coming for some of them. */
  #onUncovered(): void {
    if (this.#settings.failsWhenExhausted) {
      const last = this.#lastError()
      // Callers that come meanwhile, such as a listener that calls `acquire` again, wait for the next call.
      for (let left = this.waiters.length; left > 0; left--) {
        // Slow attempts are counted here too.
        if (this.#neededBeside(this.supply.connecting) === 0) return
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

  #choose(): EndpointState<T, S> | undefined {
    return this.#chooser.choose(this.#neededBeside(this.supply.connecting) > 0)
  }

  /** Lends a connection to the callers that have waited longest. */
  #serve(member: EndpointMember<T, S>): void {
    while (
      this.waiters.length > 0 &&
      member.state === 'ready' &&
      member.users < this.#settings.callersPerConnection
    ) {
      const waitedMs = this.waiters.serve((stack) => this.loans.lend(member, stack))
      member.endpoint.waits.add(waitedMs)
    }
  }

  /** A connection may be lent from now on. */
  offer(member: EndpointMember<T, S>): void {
    this.#serve(member)
    if (member.state !== 'ready' || member.users >= this.#settings.callersPerConnection) return
    if (member.users === 0 && this.#owner.state !== 'open') {
      this.connections.retire(member, 'closed')
      return
    }
    member.endpoint.list(member)
    if (member.users === 0) this.#upkeep.onIdle(member.idleSinceWallMs)
  }

  /** A connection came back in order. */
  onReturn(): void {
    if (this.#owner.state !== 'open') this.#owner.onChange()
  }

  #wait(limits: WaitLimits, stack: string | undefined): Promise<Lease<T, S>> {
    const { maxWaiters } = this.#settings
    if (this.#owner.state === 'closed') {
      // `pick` closed the pool.
      return Promise.reject(this.explain(new NettsError('ERR_NETTS_CLOSED', 'the pool is closed')))
    }
    if (this.waiters.length < maxWaiters) return this.waiters.wait(limits, stack)
    const what = `no connection is free, and ${maxWaiters} callers wait already (maxWaiters)`
    return Promise.reject(this.explain(new NettsError('ERR_NETTS_POOL_EXHAUSTED', what)))
  }

  #onAttemptFailed(error: NettsError, isFinal: boolean): void {
    if (isFinal || (this.#settings.failsWhenExhausted && this.#neededBeside(this.#hopefulAttempts) > 0)) {
      this.waiters.rejectFirst(
        new NettsError('ERR_NETTS_CONNECT_FAILED', 'no connection could be opened', { cause: error }),
      )
    }
    this.fill()
  }

  /** The number of attempts at endpoints that did not fail. */
  get #hopefulAttempts(): number {
    let hopeful = 0
    for (const { failures, connecting } of this.#endpoints.list) if (failures === 0) hopeful += connecting
    return hopeful
  }

  /** The pool drains: closes unused connections once no caller waits. */
  drain(): void {
    if (this.waiters.length > 0) return
    this.connections.retireUnused(this.connections.members, 'closed')
  }

  /** Refuses waiting callers, cancels attempts to connect, and closes every connection, lent ones too. */
  close(error: NettsError): void {
    this.supply.stop(error)
    this.#upkeep.stop()
    this.#checks.stop(error)
    this.waiters.rejectAll(() => error)
    this.connections.closeAll()
  }

  // For the waiters.

  /**
   * Adds the counters of the pool and the last error of an endpoint to the error of a caller, and reports it.
   * @param sinceMs errors after this time, on the monotonic clock, count although their endpoint works again. @default none
   */
  explain(error: NettsError, sinceMs = Infinity): NettsError {
    const { idle, lent } = this.#endpoints.sums
    const counts = { idle, lent, connecting: this.supply.connecting, waiting: this.waiters.length }
    const full = explained(error, counts, this.#lastError() ?? this.#endpoints.errorSince(sinceMs))
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
