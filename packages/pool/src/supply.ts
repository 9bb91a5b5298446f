/** Opens connections: for waiting callers, to keep `min`, and to find out whether an endpoint works again. */
import { connect, isNettsError, NettsError, type Transport, wireOf } from '@netts/core'
import { callWithDeadline } from './calls.js'
import { type Attempt, type EndpointMember, type EndpointState, SLOW_ATTEMPT_MS } from './endpoint-state.js'
import type { EndpointSet } from './endpoints/endpoint-set.js'
import { callbackError, messageOf } from './errors.js'
import type { Reporter } from './events.js'
import type { Opened } from './member.js'
import type { PoolSettings } from './options.js'
import { reconnectExponential } from './policy/backoff.js'
import { isHopeless, isLocalCause } from './policy/cause.js'
import { RefillRate } from './policy/refill-rate.js'
import type { PoolTime } from './time.js'

/** What a supply calls in its pool. */
export interface SupplyOwner<T extends Transport, S> {
  /** A connection was opened. */
  onOpened(endpoint: EndpointState<T, S>, opened: Opened<T, S>): void
  /** An attempt failed. @param isFinal whether the caller that has waited longest is to fail with it */
  onAttemptFailed(error: NettsError, isFinal: boolean): void
  /** An attempt was cancelled: the callers that wait may need another one. */
  onCancelled(): void
  /** The circuit breaker of an endpoint opened. */
  onDown(endpoint: EndpointState<T, S>): void
  /** Schedules the upkeep of the pool for a time of the monotonic clock. */
  wakeAt(atMs: number): void
}

/** Opens the connections of one pool. */
export class Supply<T extends Transport, S> {
  readonly #settings: PoolSettings<T, S>
  readonly #time: PoolTime
  readonly #endpoints: EndpointSet<T, S>
  readonly #reporter: Reporter
  readonly #owner: SupplyOwner<T, S>
  readonly #refillRate: RefillRate
  readonly #defaultPolicy = reconnectExponential()
  #isStopped = false
  /** Attempts in progress, those at endpoints that left the list included. */
  readonly #attempts = new Set<Attempt>()

  constructor(
    settings: PoolSettings<T, S>,
    time: PoolTime,
    endpoints: EndpointSet<T, S>,
    reporter: Reporter,
    owner: SupplyOwner<T, S>,
  ) {
    this.#settings = settings
    this.#time = time
    this.#endpoints = endpoints
    this.#reporter = reporter
    this.#owner = owner
    this.#refillRate = new RefillRate(settings.refillPerSecond, settings.maxConnecting)
  }

  /** The number of attempts in progress. */
  get connecting(): number {
    return this.#attempts.size
  }

  /** The number of attempts in progress that are not slow; with a single endpoint, of all. */
  get promising(): number {
    if (this.#attempts.size === 0 || this.#endpoints.list.length < 2) return this.#attempts.size
    const slowMs = this.#time.nowMs() - SLOW_ATTEMPT_MS
    let promising = 0
    for (const { startedMs } of this.#attempts) if (startedMs > slowMs) promising++
    return promising
  }

  /** Begins an attempt to connect. */
  open(endpoint: EndpointState<T, S>): void {
    if (this.#isStopped) return
    const startedMs = this.#time.nowMs()
    const attempt: Attempt = { abort: new AbortController(), round: endpoint.round, startedMs }
    this.#attempts.add(attempt)
    endpoint.attemptsNow.add(attempt)
    endpoint.circuit.onConnecting()
    endpoint.attempts++
    this.#endpoints.count(1)
    if (this.#endpoints.list.length > 1) this.#owner.wakeAt(startedMs + SLOW_ATTEMPT_MS)
    this.#connect(endpoint, attempt).then(
      (opened) => this.#onOpened(endpoint, attempt, opened),
      (error: unknown) => this.#onFailed(endpoint, attempt, error),
    )
  }

  /** Opens connections up to `min`, at a bounded rate, and tries failed endpoints again. */
  refill(hasDemand: boolean): void {
    const { min } = this.#settings
    const isSeveral = this.#endpoints.list.length > 1
    for (const endpoint of this.#endpoints.list) {
      const isProbed = isSeveral && hasDemand && endpoint.failures > 0
      let wanted = Math.max(min, isProbed ? 1 : 0)
      if (wanted > 0) wanted -= endpoint.staying
      while (wanted-- > 0 && this.#endpoints.hasRoom(endpoint)) {
        const nowMs = this.#time.nowMs()
        if (nowMs < endpoint.refillAtMs || !this.#endpoints.mayConnect(endpoint, nowMs)) {
          this.wakeForRetry(endpoint, endpoint.refillAtMs)
          break
        }
        if (!this.#refillRate.take(nowMs)) {
          this.#owner.wakeAt(nowMs + this.#refillRate.waitMs)
          return
        }
        this.open(endpoint)
      }
    }
  }

  /** Opens one more connection, to the endpoint that has the fewest relative to its weight. */
  grow(): void {
    let best: EndpointState<T, S> | undefined
    const load = (endpoint: EndpointState<T, S>) => endpoint.staying / endpoint.weight
    for (const endpoint of this.#endpoints.list) {
      if (endpoint.failures > 0 || this.#endpoints.isOut(endpoint) || !this.#endpoints.hasRoom(endpoint))
        continue
      if (!best || load(endpoint) < load(best)) best = endpoint
    }
    if (best) this.open(best)
  }

  /** Schedules the upkeep for when an endpoint may be tried again. @param notBeforeMs on the monotonic clock */
  wakeForRetry(endpoint: EndpointState<T, S>, notBeforeMs = 0): void {
    const openUntilMs = this.#endpoints.isPanic ? 0 : (endpoint.circuit.openUntilMs ?? 0)
    const atMs = Math.max(endpoint.retryAtMs, openUntilMs, notBeforeMs)
    // An endpoint that may be tried already waits for room, or for an attempt in progress.
    if (atMs > this.#time.nowMs()) this.#owner.wakeAt(atMs)
  }

  /** A new connection ended before it was used. That counts as a failed attempt. */
  onStillborn({ endpoint, round }: EndpointMember<T, S>, error: NettsError): void {
    if (round === endpoint.round) this.#endRound(endpoint, error)
  }

  /** Cancels the attempts at one endpoint. */
  abandon(endpoint: EndpointState<T, S>, error: NettsError): void {
    for (const attempt of endpoint.attemptsNow) attempt.abort.abort(error)
  }

  /** Cancels all attempts. No more are begun. */
  stop(error: NettsError): void {
    this.#isStopped = true
    for (const attempt of this.#attempts) attempt.abort.abort(error)
  }

  async #connect(endpoint: EndpointState<T, S>, attempt: Attempt): Promise<Opened<T, S>> {
    const { connectTimeoutMs, prepare } = this.#settings
    const { address, wires } = endpoint
    const { round, startedMs } = attempt
    const { signal } = attempt.abort
    const builder = wires.builder(startedMs)
    const connection = await connect(builder, address, {
      ...this.#settings.connection,
      signal,
      timeoutMs: connectTimeoutMs,
    })
    try {
      signal.throwIfAborted()
      connection.unref()
      const wire = wireOf(connection.transport) ?? builder.name
      if (!prepare) return { connection, wire, round, session: undefined as S }
      const leftMs = connectTimeoutMs - (this.#time.nowMs() - startedMs)
      const limits = {
        operation: 'prepare',
        endpoint: address,
        timeoutMs: connectTimeoutMs === 0 ? 0 : Math.max(1, Math.ceil(leftMs)),
        signal,
        time: this.#time,
      }
      const session = await callWithDeadline(limits, (context) => prepare(connection, context))
      return { connection, wire, round, session }
    } catch (error) {
      connection.destroy(error)
      throw error
    }
  }

  #onOpened(endpoint: EndpointState<T, S>, attempt: Attempt, opened: Opened<T, S>): void {
    this.#end(endpoint, attempt)
    if (this.#isStopped || endpoint.isRemoved) {
      opened.connection.destroy()
      this.#owner.onCancelled()
      return
    }
    const nowMs = this.#time.nowMs()
    const { address, wires } = endpoint
    const isUp = endpoint.circuit.onConnected(nowMs)
    this.#owner.onOpened(endpoint, opened)
    this.#reporter.tell({
      type: 'connect',
      endpoint: address,
      wire: opened.wire,
      tookMs: nowMs - attempt.startedMs,
    })
    if (isUp) this.#reporter.tell({ type: 'endpoint-up', endpoint: address })
    if (wires.onConnected(opened.connection.transport, nowMs)) {
      const { wireRetryMs: retryAfterMs } = this.#settings
      const { preferred } = wires
      this.#reporter.tell({ type: 'fallback', endpoint: address, wire: opened.wire, preferred, retryAfterMs })
    }
  }

  #onFailed(endpoint: EndpointState<T, S>, attempt: Attempt, thrown: unknown): void {
    this.#end(endpoint, attempt)
    if (this.#isStopped || endpoint.isRemoved) {
      endpoint.circuit.onConnectCancelled()
      this.#owner.onCancelled()
      return
    }
    const error = connectError(thrown, endpoint)
    endpoint.failedAttempts++
    endpoint.onError(error)
    if (attempt.round === endpoint.round) this.#endRound(endpoint, error)
    const isLocal = isLocalCause(error)
    const isDown = !isLocal && endpoint.circuit.onFailure(this.#time.nowMs())
    if (isLocal) endpoint.circuit.onConnectCancelled()
    const retryAfterMs = endpoint.waitsToRetry
      ? Math.max(0, endpoint.retryAtMs - this.#time.nowMs())
      : undefined
    this.#reporter.tell({ type: 'connect-failed', endpoint: endpoint.address, error, isLocal, retryAfterMs })
    if (isDown) this.#owner.onDown(endpoint)
    this.#owner.onAttemptFailed(error, !endpoint.waitsToRetry)
  }

  #end(endpoint: EndpointState<T, S>, attempt: Attempt): void {
    this.#attempts.delete(attempt)
    endpoint.attemptsNow.delete(attempt)
    this.#endpoints.count(-1)
  }

  /** A round of attempts failed. Attempts of the same round that fail later do not count again. */
  #endRound(endpoint: EndpointState<T, S>, error: NettsError): void {
    endpoint.round++
    endpoint.failures++
    endpoint.onError(error)
    const delayMs = isHopeless(error) ? undefined : this.#delay(endpoint, error)
    const { failures, address } = endpoint
    const refillDelayMs = delayMs ?? this.#defaultPolicy({ failures, endpoint: address, error }) ?? 0
    const nowMs = this.#time.nowMs()
    endpoint.waitsToRetry = delayMs !== undefined
    endpoint.retryAtMs = nowMs + (delayMs ?? 0)
    endpoint.refillAtMs = nowMs + refillDelayMs
  }

  #delay(endpoint: EndpointState<T, S>, error: NettsError): number | undefined {
    const asked = { failures: endpoint.failures, endpoint: endpoint.address, error }
    const { reconnect } = this.#settings
    try {
      const delayMs = reconnect(asked)
      if (delayMs === undefined) return undefined
      if (Number.isFinite(delayMs)) return Math.max(1, delayMs)
      this.#onPolicyFailed(
        callbackError('reconnect', `returned ${String(delayMs)}, not a finite number of ms`),
      )
    } catch (thrown) {
      this.#onPolicyFailed(callbackError('reconnect', `threw: ${messageOf(thrown)}`, thrown))
    }
    return this.#defaultPolicy(asked)
  }

  #onPolicyFailed(error: NettsError): void {
    this.#reporter.tell({ type: 'callback-failed', callback: 'reconnect', error })
  }
}

/** What `connect` or `prepare` threw, as a NettsError with the address of the endpoint. */
function connectError(thrown: unknown, endpoint: { readonly address: NettsError['address'] }): NettsError {
  if (isNettsError(thrown)) return thrown
  return new NettsError('ERR_NETTS_CONNECT_FAILED', `the pool's prepare failed: ${messageOf(thrown)}`, {
    cause: thrown,
    operation: 'prepare',
    ...(endpoint.address && { address: endpoint.address }),
  })
}
