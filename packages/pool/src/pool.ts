/** Pools of connections: the contract. */
import type { Address, Connection, NettsError, Transport } from '@netts/core'
import type { TimeHistogram } from './histogram.js'
import type { BreakerState } from './policy/breaker.js'

/** How to acquire. */
export interface AcquireOptions {
  /** Cancels the wait. A connection that comes too late serves the next caller. */
  readonly signal?: AbortSignal | undefined
  /** How long to wait, in milliseconds; 0 waits for ever. @default the pool's `acquireTimeoutMs` */
  readonly timeoutMs?: number | undefined
}

/** How a pool drains. */
export interface DrainOptions {
  /**
   * How long callers may wait and connections may stay lent, in milliseconds; then waiting callers are refused, and lent
   * connections are destroyed. 0 waits for ever. @default 10000
   */
  readonly deadlineMs?: number | undefined
}

/**
 * A connection while it is lent: all of {@link Connection}, until it is given back. Every member throws
 * `ERR_NETTS_CONNECTION_RELEASED` (or rejects with it) after that; but {@link closed}, and disposing, which then does
 * nothing.
 *
 * It stands for one connection alone, and never for a successor of it.
 *
 * In `lease` mode nobody else has it. If it comes back with a message that nobody took, with a `recv` that still waits or
 * that was cancelled, after `finish`, or closed, then it is closed instead of lent again: the next borrower would get
 * an answer to a question that it did not ask.
 *
 * @typeParam S what the pool's `prepare` resolves to
 */
export interface PooledConnection<T extends Transport = Transport, S = undefined> extends Connection<T> {
  /** What the pool's `prepare` made of this connection: a login, a multiplexer. */
  readonly session: S
  /** The endpoint that it is connected to, as the pool knows it. */
  readonly endpoint: EndpointStatus
  /** The name of the wire that it runs on: of the builder that connected it, such as `tcp`. */
  readonly wire: string
  /** Whether it was given back. */
  readonly released: boolean
  /**
   * Gives it back. With an error, it is closed instead of lent again, and the endpoint's circuit breaker counts a failure:
   * for what only the application can see, such as an answer that says "overloaded".
   *
   * @throws NettsError `ERR_NETTS_CONNECTION_RELEASED` when it was given back before
   */
  release(error?: unknown): void
  /**
   * Gives it back, and closes it as {@link Connection.close} does. In `share` mode it is closed when all have given it
   * back; until then nobody else gets it.
   */
  close(): Promise<void>
  /** Gives it back, and destroys it as {@link Connection.destroy} does, also for others who share it. */
  destroy(error?: unknown): void
  /** Gives it back, if that did not happen before. */
  [Symbol.asyncDispose](): Promise<void>
}

/** One endpoint as it is now: every member is live. */
export interface EndpointStatus {
  readonly address: Address
  readonly weight: number
  /** Connections that nobody uses. */
  readonly idle: number
  /** Connections that somebody uses. */
  readonly lent: number
  /** How many callers use connections: as many as {@link lent} in `lease` mode. */
  readonly inFlight: number
  /** Attempts to connect. */
  readonly connecting: number
  /** Connections that are being checked or reset before they are lent again. */
  readonly checking: number
  /** Connections that are still closing. */
  readonly closing: number
  /** Where its circuit breaker is. */
  readonly breaker: BreakerState
  /** Rounds of attempts that failed in a row; 0 when it works. */
  readonly failures: number
  /** Why the last attempt or connection failed; `undefined` since a connection came back in order. */
  readonly lastError: NettsError | undefined
}

/** One endpoint as it was when it was asked for, and its counters since it was known. */
export interface EndpointStats extends EndpointStatus {
  /** Attempts to connect, ever. */
  readonly attempts: number
  /** Of these, failed ones. */
  readonly failedAttempts: number
  /** Connections that an error ended while they were lent. */
  readonly lost: number
  /** How many connections were lent. */
  readonly acquired: number
  /** How long callers waited for the connections that they got here. */
  readonly waitMs: TimeHistogram
  /** Open connections by the wire that they run on. */
  readonly wires: Readonly<Record<string, number>>
}

/** A pool as it is now. */
export interface PoolStats {
  readonly idle: number
  readonly lent: number
  readonly inFlight: number
  readonly connecting: number
  readonly checking: number
  readonly closing: number
  /** Callers that wait for a connection. */
  readonly waiting: number
  /** Calls of `acquire` that were refused, timed out or were aborted, ever. */
  readonly failedAcquires: number
  readonly endpoints: readonly EndpointStats[]
}

/**
 * Where a pool is in its life: `open`, then `draining` (nobody new; who waits is served, who borrowed goes on), then
 * `closed`.
 */
export type PoolState = 'open' | 'draining' | 'closed'

/**
 * Connections kept ready, lent or shared.
 *
 * A pool keeps the process alive while somebody waits or has borrowed, and not otherwise.
 */
export interface Pool<T extends Transport = Transport, S = undefined> extends AsyncDisposable {
  /**
   * Lends a connection; callers are served in order. Give it back by `release()`, or by `await using`.
   *
   * Rejects with a NettsError, whose message has the numbers of the pool and whose `cause` is the last error of an endpoint,
   * where there is one:
   * - `ERR_NETTS_TIMEOUT`, `ERR_NETTS_ABORTED`;
   * - `ERR_NETTS_POOL_EXHAUSTED`: `maxWaiters` wait already, or with `exhausted: 'fail'`, every connection is in use;
   * - `ERR_NETTS_CONNECT_FAILED`: no endpoint can be connected to, and `exhausted` or `reconnect` do not wait;
   * - `ERR_NETTS_CLOSED`: the pool is draining or closed;
   * - `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_INTERNAL`: `pick` threw, or chose none of its candidates.
   */
  acquire(options?: AcquireOptions): Promise<PooledConnection<T, S>>
  /**
   * Lends a connection for the time of a call, and resolves to what it returned. If it throws, in `lease` mode the
   * connection is closed instead of lent again, since nobody knows what is still under way on it; in `share` mode it stays
   * with the others.
   *
   * Rejects as {@link acquire}, or with what the callback threw.
   */
  use<R>(
    callback: (connection: PooledConnection<T, S>) => R | PromiseLike<R>,
    options?: AcquireOptions,
  ): Promise<R>
  /**
   * Resolves when each endpoint has its `min` connections, or has failed while another one has them. With `min: 0` that is
   * at once. Rejects as {@link acquire} does.
   */
  ready(options?: AcquireOptions): Promise<void>
  /**
   * Lends no more to new callers, waits for those that wait and those that borrowed, and closes everything. Idempotent:
   * the first deadline stands. Rejects with `ERR_NETTS_INVALID_ARGUMENT` alone.
   */
  drain(options?: DrainOptions): Promise<void>
  /**
   * Refuses waiting callers with `ERR_NETTS_CLOSED`, gives up attempts to connect, and closes every connection, lent ones
   * too, as {@link Connection.close} does: what was accepted still leaves. Resolves when all are closed. Never rejects.
   */
  close(): Promise<void>
  readonly state: PoolState
  readonly stats: PoolStats
  /** The present endpoints, live. */
  readonly endpoints: readonly EndpointStatus[]
}
