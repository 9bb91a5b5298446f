/** One endpoint of a pool: its connections, how it does, and its counters. */
import type { Address, NettsError, Transport } from '@netts/core'
import { Histogram } from './histogram.js'
import type { Member } from './member.js'
import { Breaker, type BreakerLimits, type BreakerState } from './policy/breaker.js'
import type { EndpointStats, EndpointStatus } from './pool.js'
import type { PoolTime } from './time.js'
import type { Wires } from './wires.js'

/**
 * After so long an attempt to connect is slow, and the next endpoint is tried beside it, in milliseconds: as RFC 8305
 * recommends between attempts at several addresses.
 */
export const SLOW_ATTEMPT_MS = 250

/** An attempt to connect. */
export interface Attempt {
  /** When it began, on the monotonic clock. */
  readonly startedMs: number
  /** Gives it up. */
  readonly abort: AbortController
  /** The endpoint's {@link EndpointState.round} when it began: those that began together are one round. */
  readonly round: number
}

/** A connection, with the endpoint that it is connected to. */
export type EndpointMember<T extends Transport, S> = Member<T, S, EndpointState<T, S>>

/** See above. */
export class EndpointState<T extends Transport, S> implements EndpointStatus {
  readonly address: Address
  readonly wires: Wires<T>
  readonly circuit: Breaker
  readonly members = new Set<EndpointMember<T, S>>()
  /** Connections that may be lent: the last one is lent first, so that a surplus stays idle. */
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
  /** The same, also when it works again. */
  newestError: NettsError | undefined
  /** When that was, on the monotonic clock. */
  newestErrorAtMs = 0
  /** When it may be tried again for a caller, on the monotonic clock. */
  retryAtMs = 0
  /** When it may be tried again with no caller waiting for it. */
  refillAtMs = 0
  /** Whether the present round of failures waits before it tries again; else it is up to the next caller. */
  waitsToRetry = true
  /** It left the list. */
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

  /** Whether an attempt to connect takes long. */
  isSlow(nowMs: number): boolean {
    // The first one is the oldest.
    for (const { startedMs } of this.attemptsNow) return nowMs - startedMs >= SLOW_ATTEMPT_MS
    return false
  }

  get breaker(): BreakerState {
    return this.circuit.state(this.#time.nowMs())
  }

  /** Connections that are there or are coming to stay: neither retired nor closing. */
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

  /** Something failed here. */
  onError(error: NettsError): void {
    this.lastError = this.newestError = error
    this.newestErrorAtMs = this.#time.nowMs()
  }

  /** A connection was used and came back in order. */
  onSuccess(member: EndpointMember<T, S>): void {
    this.circuit.onSuccess()
    this.onConnectProven(member)
  }

  /** A connection showed that the endpoint can be connected to, whatever became of it. */
  onConnectProven(member: EndpointMember<T, S>): void {
    // One that was opened before the last failure does not prove that another can be opened.
    if (this.lastError === undefined || member.round !== this.round) return
    this.lastError = undefined
    this.failures = 0
    this.retryAtMs = this.refillAtMs = 0
  }

  // The books. A member is on exactly one of: idle, lent, checking, closing.

  /** A new connection. It is idle. */
  add(member: EndpointMember<T, S>, wallMs: number): void {
    this.members.add(member)
    member.rest(wallMs)
    this.idle++
  }

  /** May be lent from now on. */
  list(member: EndpointMember<T, S>): void {
    if (member.isListed) return
    member.isListed = true
    this.available.push(member)
  }

  /** May not be lent for now. */
  unlist(member: EndpointMember<T, S>): void {
    if (!member.isListed) return
    member.isListed = false
    if (this.available[this.available.length - 1] === member) this.available.pop()
    else this.available.splice(this.available.indexOf(member), 1)
  }

  /** Somebody more has it. */
  onLend(member: EndpointMember<T, S>): void {
    if (member.users++ === 0) {
      this.idle--
      this.lent++
    }
    member.uses++
    this.inFlight++
    this.acquired++
  }

  /** Somebody gave it back. */
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

  /** It is checked before it may be lent again; nobody has it. */
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

  /** Nobody gets it any more. */
  onRetire(member: EndpointMember<T, S>): void {
    this.unlist(member)
    if (member.users === 0) {
      if (member.state === 'checking') this.checking--
      else this.idle--
      this.closing++
    }
    member.state = 'retired'
  }

  /** It is closed. Borrowers may still have it. */
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
