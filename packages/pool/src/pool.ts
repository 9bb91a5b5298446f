/** The interface of a pool of connections. */
import type { Address, Connection, NettsError, Transport } from '@netts/core'
import type { TimeHistogram } from './histogram.js'
import type { BreakerState } from './policy/breaker.js'

/** Options of {@link Pool.acquire}, {@link Pool.use} and {@link Pool.ready}. */
export interface AcquireOptions {
  /**
   * Cancels the wait, which then rejects with `ERR_NETTS_ABORTED`. A connection that was being opened for it serves the
   * next caller.
   */
  readonly signal?: AbortSignal | undefined
  /** How long to wait, in milliseconds; 0 disables the deadline. @default the pool's `acquireTimeoutMs` */
  readonly timeoutMs?: number | undefined
}

/** Options of {@link Pool.drain}. */
export interface DrainOptions {
  /**
   * How long callers may wait and connections may stay lent, in milliseconds. After that, waiting callers are refused, and
   * lent connections are destroyed. 0 disables the deadline. @default 10000
   */
  readonly deadlineMs?: number | undefined
}

/**
 * A connection that a pool lent: a {@link Connection} until it is given back, by {@link release}, {@link close},
 * {@link destroy} or `await using`. Give it back once. Afterwards every member throws or rejects with
 * `ERR_NETTS_CONNECTION_RELEASED`, except `endpoint`, `wire`, `released`, `closed`, and disposing, which does nothing.
 *
 * The handle refers to one connection only: a late call never reaches the next borrower.
 *
 * In `lease` mode no other caller uses it. It is closed instead of lent again when it comes back with a message that was
 * not received, with a `recv` that still waits or failed, after `finish`, or closed: otherwise the next borrower could
 * receive the answer to a question of this one.
 *
 * `onMessage` throws `ERR_NETTS_UNSUPPORTED`: a callback would stay on the connection after it was given back. Use `recv`,
 * `recvLease` or `for await`.
 *
 * @typeParam T the transport underneath
 * @typeParam S what the pool's `prepare` resolves to
 */
export interface PooledConnection<T extends Transport = Transport, S = undefined> extends Connection<T> {
  /** What the pool's `prepare` resolved to for this connection, such as a multiplexer; else `undefined`. */
  readonly session: S
  /** The endpoint that it is connected to. The object is live. */
  readonly endpoint: EndpointStatus
  /** The name of the builder that connected it, such as `tcp`; the second of the same name is `tcp#2`. */
  readonly wire: string
  /** Whether it was given back. */
  readonly released: boolean
  /**
   * Gives the connection back, to be lent again.
   *
   * @param error what is wrong with the connection or its endpoint, as far as only the application can see it: an answer
   *   that says "overloaded", for example. The connection is then closed, and the endpoint's circuit breaker counts a
   *   failure.
   * @throws NettsError `ERR_NETTS_CONNECTION_RELEASED` when it was given back before
   */
  release(error?: unknown): void
  /**
   * Gives the connection back, and closes it as {@link Connection.close} does. Never rejects. In `share` mode no new caller
   * gets it, and it is closed when every caller has given it back; the promise resolves before that.
   *
   * @throws NettsError `ERR_NETTS_CONNECTION_RELEASED` when it was given back before
   */
  close(): Promise<void>
  /**
   * Gives the connection back, and destroys it as {@link Connection.destroy} does. In `share` mode that ends it for the
   * other callers too.
   *
   * @param error the error that ends the connection. @default a NettsError with `ERR_NETTS_DESTROYED`
   * @throws NettsError `ERR_NETTS_CONNECTION_RELEASED` when it was given back before
   */
  destroy(error?: unknown): void
  /** Gives the connection back as {@link release} does, unless it was given back before. Never rejects. */
  [Symbol.asyncDispose](): Promise<void>
}

/** One endpoint of a pool. Every member is live: it changes as the pool works. */
export interface EndpointStatus {
  /** The address that the pool connects to. */
  readonly address: Address
  /** Its share of the traffic, relative to the other endpoints; more than 0. */
  readonly weight: number
  /** Open connections that no caller has. */
  readonly idle: number
  /** Connections that at least one caller has. */
  readonly lent: number
  /** Callers that have a connection. In `lease` mode it equals {@link lent}; in `share` mode it may be larger. */
  readonly inFlight: number
  /** Attempts to connect that are in progress, `prepare` included. */
  readonly connecting: number
  /** Connections that are checked or reset before they are lent again. */
  readonly checking: number
  /** Connections that no caller has and that are not closed yet. */
  readonly closing: number
  /** The state of its circuit breaker. */
  readonly breaker: BreakerState
  /** How many rounds of attempts to connect failed one after the other; 0 while it can be connected to. */
  readonly failures: number
  /**
   * Why the last attempt or connection failed; `undefined` after a connection that was opened later came back in order, or
   * lived for at least 1 s.
   */
  readonly lastError: NettsError | undefined
}

/** A snapshot of one endpoint. Its counters begin when the endpoint joins the list. */
export interface EndpointStats extends EndpointStatus {
  /** How many attempts to connect were begun. */
  readonly attempts: number
  /** How many attempts to connect failed, of {@link attempts}. */
  readonly failedAttempts: number
  /** How many connections ended by an error of the peer or the network while they were lent. */
  readonly lost: number
  /** How many times a connection to it was lent. */
  readonly acquired: number
  /** How long callers waited for a connection to it, in milliseconds. */
  readonly waitMs: TimeHistogram
  /** How many connections are not closed, by {@link PooledConnection.wire}. */
  readonly wires: Readonly<Record<string, number>>
}

/**
 * A snapshot of a pool. `idle`, `lent`, `checking` and `closing` are sums over the endpoints that are in the list now;
 * `inFlight` and `connecting` include endpoints that left it.
 */
export interface PoolStats {
  /** Open connections that no caller has. */
  readonly idle: number
  /** Connections that at least one caller has. */
  readonly lent: number
  /** Callers that have a connection. */
  readonly inFlight: number
  /** Attempts to connect that are in progress, `prepare` included. */
  readonly connecting: number
  /** Connections that are checked or reset before they are lent again. */
  readonly checking: number
  /** Connections that no caller has and that are not closed yet. */
  readonly closing: number
  /** Callers that wait for a connection. */
  readonly waiting: number
  /** How many calls of `acquire` and `ready` were refused, timed out or were aborted since the pool was made. */
  readonly failedAcquires: number
  /** A snapshot of each endpoint in the list. */
  readonly endpoints: readonly EndpointStats[]
}

/**
 * The state of a pool. It only moves down this list:
 *
 * - `open`: it lends connections;
 * - `draining`: new callers are refused; callers that wait are served, and lent connections stay with their borrowers;
 * - `closed`: every caller is refused, and all connections are closed or closing.
 */
export type PoolState = 'open' | 'draining' | 'closed'

/**
 * A pool of connections to one or several endpoints, made by {@link createPool}.
 *
 * It keeps the process alive while a caller waits or a connection is lent. Idle connections and timers do not.
 * `await using` closes it.
 *
 * @typeParam T the transport of the connections
 * @typeParam S what `prepare` resolves to
 */
export interface Pool<T extends Transport = Transport, S = undefined> extends AsyncDisposable {
  /**
   * Lends a connection. Callers are served in the order of their calls. Give the connection back once, by `release()` or
   * `await using`.
   *
   * Rejects with a NettsError. Its message contains the counters of the pool, and its `cause` is the last error of an
   * endpoint, if there is one:
   *
   * - `ERR_NETTS_TIMEOUT` after `timeoutMs`; `ERR_NETTS_ABORTED` through the signal;
   * - `ERR_NETTS_POOL_EXHAUSTED` when `maxWaiters` callers wait already, or, with `exhausted: 'fail'`, when every connection
   *   is in use;
   * - `ERR_NETTS_CONNECT_FAILED` when no endpoint can be connected to, and `exhausted` is `'fail'` or `reconnect` returned
   *   `undefined`;
   * - `ERR_NETTS_CLOSED` when the pool is draining or closed;
   * - `ERR_NETTS_INTERNAL` when `pick` threw, or returned an endpoint that is not a candidate;
   * - `ERR_NETTS_INVALID_ARGUMENT`.
   */
  acquire(options?: AcquireOptions): Promise<PooledConnection<T, S>>
  /**
   * Lends a connection while `callback` runs, and resolves to what the callback resolves to. If the callback throws or
   * rejects, the connection is closed in `lease` mode, because requests may still be in progress on it; in `share` mode it
   * is given back.
   *
   * Rejects as {@link acquire} does, or with what the callback threw.
   */
  use<R>(
    callback: (connection: PooledConnection<T, S>) => R | PromiseLike<R>,
    options?: AcquireOptions,
  ): Promise<R>
  /**
   * Resolves when each endpoint has its `min` connections; an endpoint that failed is not waited for if another one has
   * them. With `min: 0` it resolves as soon as the endpoints are known. Rejects with `ERR_NETTS_TIMEOUT`,
   * `ERR_NETTS_ABORTED`, `ERR_NETTS_CLOSED` or `ERR_NETTS_INVALID_ARGUMENT`.
   */
  ready(options?: AcquireOptions): Promise<void>
  /**
   * Refuses new callers with `ERR_NETTS_CLOSED`, serves those that wait, waits until every connection was given back, and
   * closes the pool. At the deadline it refuses the callers that still wait, and destroys the connections that are still
   * lent. Resolves when all connections are closed. Idempotent: the deadline of the first call counts. Rejects only with
   * `ERR_NETTS_INVALID_ARGUMENT`, for its options.
   */
  drain(options?: DrainOptions): Promise<void>
  /**
   * Refuses new and waiting callers with `ERR_NETTS_CLOSED`, cancels attempts to connect, and closes every connection, lent
   * ones too, as {@link Connection.close} does: messages that were accepted still leave. Resolves when all connections are
   * closed. Idempotent. Never rejects.
   */
  close(): Promise<void>
  /** The state: see {@link PoolState}. */
  readonly state: PoolState
  /** Counters and gauges. Each read makes a new snapshot. */
  readonly stats: PoolStats
  /** The endpoints that are in the list now. The array is a copy; its elements are live. */
  readonly endpoints: readonly EndpointStatus[]
}
