/** The options of a pool, with their defaults and ranges. */
import type { Address, Connection, ConnectionOptions, Transport, TransportBuilder } from '@netts/core'
import {
  checkChoice,
  checkConnectionOptions,
  checkInteger,
  checkObject,
  checkOptionNames,
  checkTimeout,
  invalidArgument,
} from '@netts/core/driver'
import { checkBuilders } from './endpoints/builders.js'
import { checkEndpoints, type Endpoint, type Endpoints } from './endpoints/endpoint-list.js'
import type { PoolEvent } from './events.js'
import { type ReconnectPolicy, reconnectExponential } from './policy/backoff.js'
import { type BreakerLimits, type BreakerOptions, checkBreakerOptions } from './policy/breaker.js'
import { type Pick, powerOfTwoChoices } from './policy/pick.js'

/** The second argument of `prepare`, `validate` and `reset`: what the call is about, and when to give it up. */
export interface CallContext {
  /** The address that the connection is connected to. */
  readonly endpoint: Address
  /**
   * Aborted when the deadline of the call passes (`connectTimeoutMs` for `prepare`, else `checkTimeoutMs`), or the pool
   * closes. The `reason` is a NettsError. The pool no longer waits for the call then.
   */
  readonly signal: AbortSignal
}

/** How callers share connections, in `share` mode. */
export interface ShareOptions {
  /**
   * The number of callers from which a connection counts as busy. When all connections have been busy for `growAfterMs`,
   * the pool opens another one. From 1 to `maxInFlight`, or to 1000000 without that limit.
   * @default 16, or `maxInFlight` if that is less
   */
  readonly target?: number | undefined
  /** The most callers of one connection at a time; further callers wait. 0 has no limit. @default 0 */
  readonly maxInFlight?: number | undefined
  /** How long all connections must have been busy before another one is opened, in milliseconds. @default 100 */
  readonly growAfterMs?: number | undefined
}

/** Options of {@link createPool}. Times are integers in milliseconds, up to 2^31 - 1; counts are integers. */
export interface PoolOptions<T extends Transport = Transport, S = undefined> {
  /** The name of the pool in its events and warnings. @default 'pool' */
  readonly name?: string | undefined
  /**
   * The driver with its configuration, such as `tcp()`, for every endpoint that has no builder of its own; or several
   * drivers, in order of preference.
   */
  readonly builder?: TransportBuilder<T> | readonly TransportBuilder<T>[] | undefined
  /**
   * Where to connect to: a list, or an AsyncIterable of lists, such as {@link dnsEndpoints}. Each list replaces the one
   * before.
   */
  readonly endpoints: Endpoints<T>
  /**
   * With several builders: `prefer` connects with the next builder when this machine or the peer does not have the first
   * wire, reports that as a `fallback` event, and tries the first one again after `wireRetryMs`. `require` uses the first
   * builder only, and fails with its error. @default 'prefer'
   */
  readonly wire?: 'prefer' | 'require' | undefined
  /** After a fallback to another wire: how long until the preferred one is tried again, in milliseconds. @default 60000 */
  readonly wireRetryMs?: number | undefined
  /** Limits and deadlines of each connection. @default the defaults of {@link ConnectionOptions} */
  readonly connection?: ConnectionOptions | undefined
  /**
   * `lease` lends a connection to one caller at a time. `share` gives one connection to many callers at a time, for
   * protocols that multiplex. @default 'lease'
   */
  readonly mode?: 'lease' | 'share' | undefined
  /** How callers share connections. Only with `mode: 'share'`. */
  readonly share?: ShareOptions | undefined

  /**
   * How many connections to each endpoint are kept open. They are opened before anybody asks, and replaced after a loss.
   * From 0 to `max`. @default 0
   */
  readonly min?: number | undefined
  /**
   * The most connections to each endpoint, those that are being opened or closed included; at least 1. @default 10
   */
  readonly max?: number | undefined
  /** The most connections to all endpoints together. 0 has no limit but `max`. @default 0 */
  readonly maxTotal?: number | undefined
  /** The most concurrent attempts to connect to one endpoint; at least 1. After a failure it is one. @default 8 */
  readonly maxConnecting?: number | undefined
  /**
   * How many connections that no caller waits for are opened per second, after a first burst of `maxConnecting`.
   * @default 20
   */
  readonly refillPerSecond?: number | undefined
  /**
   * The most callers that may wait, also for a connection that is being opened for them; at least 1. Further calls of
   * `acquire` reject with `ERR_NETTS_POOL_EXHAUSTED`. @default 1000
   */
  readonly maxWaiters?: number | undefined
  /**
   * What `acquire` does when no connection is free and none can be opened now: `wait` until one is, or `fail` at once with
   * `ERR_NETTS_POOL_EXHAUSTED` or `ERR_NETTS_CONNECT_FAILED`. @default 'wait'
   */
  readonly exhausted?: 'wait' | 'fail' | undefined

  /** How long `acquire` waits, in milliseconds; 0 disables the deadline. @default 10000 */
  readonly acquireTimeoutMs?: number | undefined
  /** How long an attempt to connect may take, `prepare` included, in milliseconds; 0 disables the deadline. @default 10000 */
  readonly connectTimeoutMs?: number | undefined
  /** How long `validate` and `reset` may take, in milliseconds; 0 disables the deadline. @default 5000 */
  readonly checkTimeoutMs?: number | undefined
  /** After how long without use a connection beyond `min` is closed, in milliseconds; 0 keeps it. @default 60000 */
  readonly idleTimeoutMs?: number | undefined
  /**
   * After how long a connection is closed, in milliseconds; 0 keeps it. Each connection lives up to a quarter shorter, at
   * random, so that connections that were opened together do not end together. A lent connection is closed after it comes
   * back. @default 1800000 (half an hour)
   */
  readonly maxLifetimeMs?: number | undefined
  /** How often a connection is lent before it is closed; 0 has no limit. @default 0 */
  readonly maxUses?: number | undefined
  /**
   * A connection that was idle for at least this long, in milliseconds, is checked before it is lent: first for input that
   * is pending, then its state, then by `validate`, if there is one. 0 checks it every time. @default 500
   */
  readonly validateAfterIdleMs?: number | undefined

  /**
   * Called once for each new connection before it is lent: to log in, or to make a multiplexer. What it returns or
   * resolves to becomes {@link PooledConnection.session}. If it throws or rejects, the connection is destroyed, and the
   * attempt to connect has failed. The connection belongs to the pool: do not close it.
   */
  readonly prepare?: ((connection: Connection<T>, context: CallContext) => S | PromiseLike<S>) | undefined
  /**
   * Returns, or resolves to, whether an idle connection still works. Called after `validateAfterIdleMs` without use. If it
   * returns anything but `true`, throws, or takes longer than `checkTimeoutMs`, the connection is closed.
   */
  readonly validate?:
    | ((
        connection: Connection<T>,
        context: CallContext & { readonly session: S },
      ) => boolean | PromiseLike<boolean>)
    | undefined
  /**
   * Called each time that a connection comes back, to undo what its borrower changed. If it throws, rejects, or takes
   * longer than `checkTimeoutMs`, the connection is closed. Not with `mode: 'share'`.
   */
  readonly reset?:
    | ((
        connection: Connection<T>,
        context: CallContext & { readonly session: S },
      ) => void | PromiseLike<void>)
    | undefined

  /** When an endpoint is tried again after a failed attempt to connect. @default reconnectExponential() */
  readonly reconnect?: ReconnectPolicy | undefined
  /** When the circuit breaker takes an endpoint out, and for how long. @default the defaults of {@link BreakerOptions} */
  readonly breaker?: BreakerOptions | undefined
  /**
   * The share of the endpoints that circuit breakers may take out, from 0 to 1. When more of them would be out, all
   * endpoints get traffic. A pool's only endpoint always gets traffic. @default 0.5
   */
  readonly maxEjected?: number | undefined
  /** Chooses the endpoint that serves the next caller. @default powerOfTwoChoices() */
  readonly pick?: Pick | undefined

  /**
   * How long a connection may be lent before the pool reports a leak, in milliseconds: a `leak` event with the stack of the
   * borrower. A connection whose borrower was garbage-collected is reported too, and closed. 0 turns this off; it costs
   * some microseconds for each `acquire`. @default 0
   */
  readonly leakAfterMs?: number | undefined
  /**
   * Called with every event of the pool, synchronously. What it throws becomes a process warning. Without it, `leak` and
   * `callback-failed` events are process warnings, unless the channel `netts:pool:event` has a subscriber.
   */
  readonly onEvent?: ((event: PoolEvent) => void) | undefined
}

/** The defaults of the options that are numbers, strings or choices. */
const DEFAULTS = {
  name: 'pool',
  wire: 'prefer',
  wireRetryMs: 60_000,
  mode: 'lease',
  min: 0,
  max: 10,
  maxTotal: 0,
  maxConnecting: 8,
  refillPerSecond: 20,
  maxWaiters: 1000,
  exhausted: 'wait',
  acquireTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
  checkTimeoutMs: 5_000,
  idleTimeoutMs: 60_000,
  maxLifetimeMs: 1_800_000,
  maxUses: 0,
  validateAfterIdleMs: 500,
  maxEjected: 0.5,
  leakAfterMs: 0,
} as const

const SHARE_DEFAULTS = { target: 16, maxInFlight: 0, growAfterMs: 100 } as const

const OTHER_NAMES = [
  'builder',
  'endpoints',
  'connection',
  'share',
  'prepare',
  'validate',
  'reset',
  'reconnect',
  'breaker',
  'pick',
  'onEvent',
] as const

/** The largest count that is accepted: more connections than a machine can have. */
const MANY = 1_000_000

/** The options of a pool, checked, with every default. */
export interface PoolSettings<T extends Transport, S> {
  readonly name: string
  readonly builders: readonly TransportBuilder<T>[]
  readonly endpoints: readonly Endpoint<T>[] | AsyncIterable<readonly (Address | Endpoint<T>)[]>
  readonly isWireRequired: boolean
  readonly wireRetryMs: number
  readonly connection: ConnectionOptions
  readonly isShared: boolean
  /** How many callers a connection serves at a time: 1 in `lease` mode, Infinity in `share` mode without a limit. */
  readonly callersPerConnection: number
  readonly share: { readonly target: number; readonly growAfterMs: number }
  readonly min: number
  readonly max: number
  readonly maxTotal: number
  readonly maxConnecting: number
  readonly refillPerSecond: number
  readonly maxWaiters: number
  readonly failsWhenExhausted: boolean
  readonly acquireTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly checkTimeoutMs: number
  /** Infinity for no timeout. */
  readonly idleTimeoutMs: number
  /** Infinity for no limit. */
  readonly maxLifetimeMs: number
  /** Infinity for no limit. */
  readonly maxUses: number
  readonly validateAfterIdleMs: number
  readonly prepare: PoolOptions<T, S>['prepare']
  readonly validate: PoolOptions<T, S>['validate']
  readonly reset: PoolOptions<T, S>['reset']
  readonly reconnect: ReconnectPolicy
  readonly breaker: BreakerLimits
  readonly maxEjected: number
  readonly pick: Pick
  readonly leakAfterMs: number
  readonly onEvent: PoolOptions<T, S>['onEvent']
}

/**
 * Checks the options of a pool and fills in the defaults.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown, out of range or of the wrong type
 */
export function checkPoolOptions<T extends Transport, S>(options: PoolOptions<T, S>): PoolSettings<T, S> {
  checkOptionNames('options', options, [...Object.keys(DEFAULTS), ...OTHER_NAMES])
  const chosen = <K extends keyof typeof DEFAULTS>(name: K) => options[name] ?? DEFAULTS[name]
  const count = (
    name: 'min' | 'max' | 'maxTotal' | 'maxConnecting' | 'maxWaiters' | 'maxUses',
    least: number,
  ) => checkInteger(name, chosen(name), least, name === 'maxUses' ? Number.MAX_SAFE_INTEGER : MANY)
  const timeout = (name: keyof typeof DEFAULTS & `${string}Ms`) => checkTimeout(name, chosen(name))
  const orNone = (value: number) => (value === 0 ? Infinity : value)
  const max = count('max', 1)
  const isShared = checkChoice('mode', chosen('mode'), ['lease', 'share']) === 'share'
  const share = checkShare(options.share, isShared)
  if (isShared && options.reset)
    throw invalidArgument("reset is for mode: 'lease': in share mode no caller has a connection to itself")
  if (typeof chosen('name') !== 'string') throw invalidArgument('name must be a string')
  const builders = options.builder === undefined ? [] : checkBuilders('builder', options.builder)
  return {
    name: chosen('name'),
    builders,
    endpoints: checkEndpoints(options.endpoints, builders.length > 0),
    isWireRequired: checkChoice('wire', chosen('wire'), ['prefer', 'require']) === 'require',
    wireRetryMs: timeout('wireRetryMs'),
    connection: checkedConnection(options.connection ?? {}),
    isShared,
    callersPerConnection: isShared ? orNone(share.maxInFlight) : 1,
    share,
    min: checkInteger('min', chosen('min'), 0, max),
    max,
    maxTotal: orNone(count('maxTotal', 0)),
    maxConnecting: count('maxConnecting', 1),
    refillPerSecond: checkInteger('refillPerSecond', chosen('refillPerSecond'), 1, MANY),
    maxWaiters: count('maxWaiters', 1),
    failsWhenExhausted: checkChoice('exhausted', chosen('exhausted'), ['wait', 'fail']) === 'fail',
    acquireTimeoutMs: timeout('acquireTimeoutMs'),
    connectTimeoutMs: timeout('connectTimeoutMs'),
    checkTimeoutMs: timeout('checkTimeoutMs'),
    idleTimeoutMs: orNone(timeout('idleTimeoutMs')),
    maxLifetimeMs: orNone(timeout('maxLifetimeMs')),
    maxUses: orNone(count('maxUses', 0)),
    validateAfterIdleMs: timeout('validateAfterIdleMs'),
    prepare: checkFunction('prepare', options.prepare),
    validate: checkFunction('validate', options.validate),
    reset: checkFunction('reset', options.reset),
    reconnect: checkFunction('reconnect', options.reconnect) ?? reconnectExponential(),
    breaker: checkBreakerOptions(options.breaker),
    maxEjected: checkFraction('maxEjected', chosen('maxEjected')),
    pick: checkFunction('pick', options.pick) ?? powerOfTwoChoices(),
    leakAfterMs: timeout('leakAfterMs'),
    onEvent: checkFunction('onEvent', options.onEvent),
  }
}

function checkedConnection(options: ConnectionOptions): ConnectionOptions {
  checkConnectionOptions(checkObject('connection', options))
  return options
}

function checkShare(given: ShareOptions | undefined, isShared: boolean) {
  if (given !== undefined && !isShared) throw invalidArgument("share is for mode: 'share'")
  const share = { ...SHARE_DEFAULTS, ...checkOptionNames('share', given ?? {}, Object.keys(SHARE_DEFAULTS)) }
  const maxInFlight = checkInteger('share.maxInFlight', share.maxInFlight, 0, MANY)
  const most = maxInFlight || MANY
  return {
    target: checkInteger('share.target', given?.target ?? Math.min(SHARE_DEFAULTS.target, most), 1, most),
    maxInFlight,
    growAfterMs: checkTimeout('share.growAfterMs', share.growAfterMs),
  }
}

function checkFunction<F extends (...args: never[]) => unknown>(
  name: string,
  value: F | undefined,
): F | undefined {
  if (value === undefined || typeof value === 'function') return value
  throw invalidArgument(`${name} must be a function`)
}

function checkFraction(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw invalidArgument(`${name} must be from 0 to 1, not ${String(value)}`)
}
