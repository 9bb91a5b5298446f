/** One endpoint of a pool: its connections, its failures and its counters. */
import type { Address, NettsError, Transport } from '@netts/core'
import { Histogram } from './histogram.js'
import type { Member } from './member.js'
import { Breaker, type BreakerLimits, type BreakerState } from './policy/breaker.js'
import type { EndpointStats, EndpointStatus } from './pool.js'
import type { PoolTime } from './time.js'
import type { Wires } from './wires.js'

/**
 * After how long an attempt to connect is slow, in milliseconds: another endpoint is then tried too. It is the delay that
 * RFC 8305, section 5, recommends between attempts at several addresses.
 */
export const SLOW_ATTEMPT_MS = 250

/** An attempt to connect that is in progress. */
export interface Attempt {
  /** When it began, on the monotonic clock. */
  readonly startedMs: number
  /** Cancels it. */
  readonly abort: AbortController
  /** The endpoint's {@link EndpointState.round} when it began. */
  readonly round: number
}

/** A connection, with the endpoint that it is connected to. */
export type EndpointMember<T extends Transport, S> = Member<T, S, EndpointState<T, S>>

/** One endpoint of a pool. */
export class EndpointState<T extends Transport, S> implements EndpointStatus {
  readonly address: Address
  readonly wires: Wires<T>
  readonly circuit: Breaker
  readonly members = new Set<EndpointMember<T, S>>()
  /** Connections that may be lent. The last one is lent first, so that a surplus becomes idle. */
  readonly available: EndpointMember<T, S>[] = []
  readonly attemptsNow = new Set<Attempt>()
  readonly waits = new Histogram()
  weight: number
  idle = 0
  lent = 0
  inFlight = 0
  checking = 0
  closing = 0
  attempts = 0
  failedAttempts = 0
  lost = 0
  acquired = 0
  failures = 0
  /** Counts the rounds of attempts that failed, ever. */
  round = 0
  lastError: NettsError | undefined
  /** The last error ever; unlike {@link lastError} it stays when the endpoint works again. */
  newestError: NettsError | undefined
  /** When {@link newestError} occurred, on the monotonic clock. */
  newestErrorAtMs = 0
  /** When it may be tried again for a caller, on the monotonic clock. */
  retryAtMs = 0
  /** When it may be tried again without a caller that waits for it, on the monotonic clock. */
  refillAtMs = 0
  /** Whether callers wait for the next attempt after a failure; if not, the next `acquire` tries again. */
  waitsToRetry = true
  /** Whether it left the list. */
  isRemoved = false
  readonly #time: PoolTime

  constructor(address: Address, weight: number, wires: Wires<T>, breaker: BreakerLimits, time: PoolTime) {
    this.address = address
    this.weight = weight
    this.wires = wires
    this.circuit = new Breaker(breaker, Math.random)
    this.#time = time
  }

  get connecting(): number {
    return this.attemptsNow.size
  }

  /** Whether an attempt to connect is slow. */
  isSlow(nowMs: number): boolean {
    // The first one is the oldest.
    for (const { startedMs } of this.attemptsNow) return nowMs - startedMs >= SLOW_ATTEMPT_MS
    return false
  }

  get breaker(): BreakerState {
    return this.circuit.state(this.#time.nowMs())
  }

  /** The number of connections and attempts, without those that are retired. */
  get staying(): number {
    let staying = this.attemptsNow.size
    for (const member of this.members) if (member.state === 'ready' || member.state === 'checking') staying++
    return staying
  }

  get stats(): EndpointStats {
    const wires: Record<string, number> = {}
    for (const { wire } of this.members) wires[wire] = (wires[wire] ?? 0) + 1
    const { address, weight, idle, lent, inFlight, connecting, checking, closing, breaker } = this
    const { failures, lastError, attempts, failedAttempts, lost, acquired } = this
    return {
      ...{ address, weight, idle, lent, inFlight, connecting, checking, closing, breaker },
      ...{ failures, lastError, attempts, failedAttempts, lost, acquired },
      waitMs: this.waits.snapshot(),
      wires,
    }
  }

  /** An attempt or a connection failed. */
  onError(error: NettsError): void {
    this.lastError = this.newestError = error
    this.newestErrorAtMs = this.#time.nowMs()
  }

  /** A connection was used and came back in order. */
  onSuccess(member: EndpointMember<T, S>): void {
    this.circuit.onSuccess()
    this.onConnectProven(member)
  }

  /** A connection proved that the endpoint can be connected to. */
  onConnectProven(member: EndpointMember<T, S>): void {
    // A connection that was opened before the last failure does not prove that another one can be opened.
    if (this.lastError === undefined || member.round !== this.round) return
    this.lastError = undefined
    this.failures = 0
    this.retryAtMs = this.refillAtMs = 0
  }

  // Counting. Each member counts as exactly one of: idle, lent, checking, closing.

  /** Adds a new connection, which is idle. */
  add(member: EndpointMember<T, S>, wallMs: number): void {
    this.members.add(member)
    member.rest(wallMs)
    this.idle++
  }

  /** The connection may be lent from now on. */
  list(member: EndpointMember<T, S>): void {
    if (member.isListed) return
    member.isListed = true
    this.available.push(member)
  }

  /** The connection may not be lent for now. */
  unlist(member: EndpointMember<T, S>): void {
    if (!member.isListed) return
    member.isListed = false
    if (this.available[this.available.length - 1] === member) this.available.pop()
    else this.available.splice(this.available.indexOf(member), 1)
  }

  /** One more caller has the connection. */
  onLend(member: EndpointMember<T, S>): void {
    if (member.users++ === 0) {
      this.idle--
      this.lent++
    }
    member.uses++
    this.inFlight++
    this.acquired++
  }

  /** A caller gave the connection back. */
  onGiveBack(member: EndpointMember<T, S>, wallMs: number): void {
    this.inFlight--
    if (--member.users > 0) return
    this.lent--
    if (member.state === 'retired') this.closing++
    else if (member.state === 'ready') {
      this.idle++
      member.rest(wallMs)
    }
  }

  /** The connection is checked before it may be lent again; no caller has it. */
  onCheck(member: EndpointMember<T, S>): void {
    this.unlist(member)
    member.state = 'checking'
    this.idle--
    this.checking++
  }

  /** The check is over. */
  onChecked(member: EndpointMember<T, S>): void {
    this.checking--
    this.idle++
    member.state = 'ready'
  }

  /** The connection is not lent again. */
  onRetire(member: EndpointMember<T, S>): void {
    this.unlist(member)
    if (member.users === 0) {
      if (member.state === 'checking') this.checking--
      else this.idle--
      this.closing++
    }
    member.state = 'retired'
  }

  /** The connection is closed. Callers may still have it. */
  onClosed(member: EndpointMember<T, S>): void {
    this.unlist(member)
    if (member.users === 0) {
      if (member.state === 'retired') this.closing--
      else if (member.state === 'checking') this.checking--
      else this.idle--
    }
    member.state = 'closed'
    this.members.delete(member)
  }
}
