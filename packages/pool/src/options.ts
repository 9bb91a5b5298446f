/** The options of a pool: defaults and ranges. */
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

/** What the functions of a pool get to know. */
export interface CallContext {
  readonly endpoint: Address
  /** Aborted when the time for the call is over, or the pool closes. */
  readonly signal: AbortSignal
}

/** How callers share connections, in `share` mode. */
export interface ShareOptions {
  /**
   * How many callers a connection has before it counts as busy. When all are, for `growAfterMs`, another one is opened.
   * @default 16
   */
  readonly target?: number | undefined
  /** The most callers that a connection ever has at a time; further ones wait. 0 has no limit. @default 0 */
  readonly maxInFlight?: number | undefined
  /** How long all connections have to be busy before another one is opened, in milliseconds. @default 100 */
  readonly growAfterMs?: number | undefined
}

/** Options of {@link createPool}. */
export interface PoolOptions<T extends Transport = Transport, S = undefined> {
  /** Names the pool in its events. @default pool */
  readonly name?: string | undefined
  /**
   * The driver with its configuration, such as `tcp()`, for every endpoint that has none of its own; or several, in order
   * of preference.
   */
  readonly builder?: TransportBuilder<T> | readonly TransportBuilder<T>[] | undefined
  /** Where to connect to: a list, or lists that come one after the other, each of which replaces the one before. */
  readonly endpoints: Endpoints<T>
  /**
   * With several builders: `prefer` falls to the next one when a wire can't be had, tells so, and tries the preferred one
   * again later; `require` takes the first alone, and fails with its error. @default prefer
   */
  readonly wire?: 'prefer' | 'require' | undefined
  /** After a fall to another wire: how long until the preferred one is tried again, in milliseconds. @default 60000 */
  readonly wireRetryMs?: number | undefined
  /** Limits and deadlines of each connection. */
  readonly connection?: ConnectionOptions | undefined
  /**
   * `lease` lends a connection to one caller at a time. `share` gives one connection to many at a time, for protocols that
   * multiplex. @default lease
   */
  readonly mode?: 'lease' | 'share' | undefined
  /** How callers share, in `share` mode. */
  readonly share?: ShareOptions | undefined

  /** Connections that are kept open to each endpoint, opened ahead and again after a loss. @default 0 */
  readonly min?: number | undefined
  /** The most connections to each endpoint. @default 10 */
  readonly max?: number | undefined
  /** The most connections in all. 0 has no limit but `max`. @default 0 */
  readonly maxTotal?: number | undefined
  /** The most attempts to connect to one endpoint at a time. @default 8 */
  readonly maxConnecting?: number | undefined
  /** How many connections that nobody waits for are opened in a second, after the first `maxConnecting`. @default 20 */
  readonly refillPerSecond?: number | undefined
  /** The most callers that may wait, also for a connection that is being opened for them; at least 1. @default 1000 */
  readonly maxWaiters?: number | undefined
  /**
   * What a caller does when no connection can be had now, nor opened for it: `wait`, or `fail` at once. @default wait
   */
  readonly exhausted?: 'wait' | 'fail' | undefined

  /** How long `acquire` waits, in milliseconds; 0 waits for ever. @default 10000 */
  readonly acquireTimeoutMs?: number | undefined
  /** How long an attempt to connect may take, `prepare` included, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number | undefined
  /** How long `validate` and `reset` may take, in milliseconds. @default 5000 */
  readonly checkTimeoutMs?: number | undefined
  /** How long a connection beyond `min` stays without use, in milliseconds; 0 for ever. @default 60000 */
  readonly idleTimeoutMs?: number | undefined
  /**
   * How long a connection lives, in milliseconds; 0 for ever. Each lives up to a quarter shorter, so that they do not all
   * go at once. @default 1800000, half an hour
   */
  readonly maxLifetimeMs?: number | undefined
  /** How often a connection is lent; 0 has no limit. @default 0 */
  readonly maxUses?: number | undefined
  /**
   * A connection that nobody used for longer than this is looked at before it is lent: pending input first, its state, and
   * then `validate`, if there is one. In milliseconds. @default 500
   */
  readonly validateAfterIdleMs?: number | undefined

  /**
   * Called once for each new connection before anybody gets it: to log in, to make a multiplexer. What it resolves to is
   * the connection's `session`. What it throws fails the attempt to connect.
   */
  readonly prepare?: ((connection: Connection<T>, context: CallContext) => S | PromiseLike<S>) | undefined
  /** Whether a connection still works; asked after an idle gap alone. To throw is to say no. */
  readonly validate?:
    | ((
        connection: Connection<T>,
        context: CallContext & { readonly session: S },
      ) => boolean | PromiseLike<boolean>)
    | undefined
  /** Called when a connection comes back, to undo what its borrower changed, in `lease` mode. To throw closes it. */
  readonly reset?:
    | ((
        connection: Connection<T>,
        context: CallContext & { readonly session: S },
      ) => void | PromiseLike<void>)
    | undefined

  /** When to try an endpoint again. @default reconnectExponential() */
  readonly reconnect?: ReconnectPolicy | undefined
  /** When to take an endpoint out. */
  readonly breaker?: BreakerOptions | undefined
  /**
   * Which share of the endpoints may be out; with more of them out, traffic goes on to all. From 0 to 1. The only endpoint
   * is never out. @default 0.5
   */
  readonly maxEjected?: number | undefined
  /** Which endpoint the next caller gets. @default powerOfTwoChoices() */
  readonly pick?: Pick | undefined

  /**
   * A connection that is lent for longer is told as a leak, with the stack of its borrower, in milliseconds; so is one
   * whose borrower was garbage-collected, and it is closed. 0 is off; on, each `acquire` costs some microseconds more.
   * @default 0
   */
  readonly leakAfterMs?: number | undefined
  /** Called with whatever happens in the pool. */
  readonly onEvent?: ((event: PoolEvent) => void) | undefined
}

/** The numbers and choices among the options, with their defaults. */
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

/** More connections than any machine has. */
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
  /** How many callers a connection serves at a time: 1 in `lease` mode, and Infinity without a limit. */
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
  /** Infinity for none. */
  readonly idleTimeoutMs: number
  /** Infinity for none. */
  readonly maxLifetimeMs: number
  /** Infinity for none. */
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

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, or one out of range */
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
    throw invalidArgument('reset has no use in share mode: nobody owns a connection')
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
