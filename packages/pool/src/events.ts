/** The events of a pool: for its own listener `onEvent`, and on `node:diagnostics_channel`. */
import { type Channel, channel } from 'node:diagnostics_channel'
import type { Address, NettsError } from '@netts/core'

/**
 * Why a connection is no longer lent:
 *
 * - `idle`: it was unused for `idleTimeoutMs`;
 * - `lifetime`, `uses`: it reached `maxLifetimeMs` or `maxUses`;
 * - `lost`: an error ended it; `ended`: it ended cleanly, or its peer or its borrower finished;
 * - `unclean`: it came back with a message that was not received, or with a `recv` that waited or failed; or input arrived
 *   while it was idle;
 * - `invalid`: `validate` did not return `true`; `reset`: `reset` threw; both also after `checkTimeoutMs`;
 * - `released`: its borrower closed or destroyed it, or gave it back with an error;
 * - `leaked`: its borrower was garbage-collected;
 * - `down`: the circuit breaker took its endpoint out; `removed`: its endpoint left the list;
 * - `closed`: the pool is draining or closed.
 */
export type RetireReason =
  | 'idle'
  | 'lifetime'
  | 'uses'
  | 'lost'
  | 'ended'
  | 'unclean'
  | 'invalid'
  | 'reset'
  | 'released'
  | 'leaked'
  | 'down'
  | 'removed'
  | 'closed'

/**
 * An event of a pool; `type` tells which. `endpoint` is the address concerned.
 *
 * - `connect`: a connection was opened and prepared;
 * - `connect-failed`: an attempt to connect failed;
 * - `retire`: a connection is no longer lent, for `reason`; it is closed when no caller has it;
 * - `acquire-failed`: a call of `acquire` or `ready` rejected;
 * - `endpoint-down`: the circuit breaker of an endpoint opened;
 * - `endpoint-up`: a probe connected, and the circuit breaker closed;
 * - `fallback`: a connection runs on another wire than the preferred one;
 * - `endpoints`: the list of endpoints changed;
 * - `endpoints-failed`: the endpoints could not be looked up; the list stays as it was, and the pool tries again;
 * - `leak`: a connection was lent for longer than `leakAfterMs`, or its borrower was garbage-collected;
 * - `callback-failed`: `reconnect` threw, or returned a number that is not finite; the default policy decided instead.
 */
export type PoolEvent =
  | {
      readonly type: 'connect'
      readonly endpoint: Address
      /** The name of the builder that connected it. */
      readonly wire: string
      /** From the beginning of the attempt, `prepare` included, in milliseconds. */
      readonly tookMs: number
    }
  | {
      readonly type: 'connect-failed'
      readonly endpoint: Address
      /** Why it failed. */
      readonly error: NettsError
      /** Whether the cause is on this machine or in this program: the circuit breaker does not count it. */
      readonly isLocal: boolean
      /** In how many milliseconds the endpoint may be tried again; `undefined` when the next `acquire` tries it. */
      readonly retryAfterMs: number | undefined
    }
  | {
      readonly type: 'retire'
      readonly endpoint: Address
      /** Why it is no longer lent. */
      readonly reason: RetireReason
      /** The error that ended it, for the reason `lost`. */
      readonly error: NettsError | undefined
    }
  | {
      readonly type: 'acquire-failed'
      /** What the call rejected with. */
      readonly error: NettsError
    }
  | {
      readonly type: 'endpoint-down'
      readonly endpoint: Address
      /** The last error there. */
      readonly error: NettsError | undefined
      /** In how many milliseconds a probe may connect. */
      readonly probeAfterMs: number
    }
  | { readonly type: 'endpoint-up'; readonly endpoint: Address }
  | {
      readonly type: 'fallback'
      readonly endpoint: Address
      /** The name of the wire that the connection runs on. */
      readonly wire: string
      /** The name of the preferred wire. */
      readonly preferred: string
      /** In how many milliseconds the preferred wire is tried again: `wireRetryMs`. */
      readonly retryAfterMs: number
    }
  | {
      readonly type: 'endpoints'
      /** Addresses that are new in the list. */
      readonly added: readonly Address[]
      /** Addresses that left the list; their connections are closed when they come back. */
      readonly removed: readonly Address[]
    }
  | {
      readonly type: 'endpoints-failed'
      /** Why there is no new list. */
      readonly error: NettsError
    }
  | {
      readonly type: 'leak'
      readonly endpoint: Address
      /** For how long the connection has been lent, in milliseconds. */
      readonly lentForMs: number
      /** The stack of the call that acquired it. */
      readonly stack: string
      /** Whether the borrower was garbage-collected: the pool then took the connection back, and closes it. */
      readonly isCollected: boolean
    }
  | {
      readonly type: 'callback-failed'
      /** The name of the option. */
      readonly callback: string
      /** `ERR_NETTS_INTERNAL`; its `cause` is what the function threw. */
      readonly error: NettsError
    }

/** The message of the channel `netts:pool:event` of `node:diagnostics_channel`. */
export interface PoolDiagnostics {
  /** The pool's `name`. */
  readonly pool: string
  /** What happened. */
  readonly event: PoolEvent
}

/**
 * The names of the pool's channels of `node:diagnostics_channel`. The message of `event` is a {@link PoolDiagnostics};
 * without a subscriber, it is not built.
 */
export const POOL_CHANNELS = {
  /** The channel of every event of every pool; its messages are {@link PoolDiagnostics}. */
  event: 'netts:pool:event',
} as const

const eventChannel = channel(POOL_CHANNELS.event) as Channel<PoolDiagnostics>

/** Events that become process warnings when there is neither a listener nor a subscriber. */
const URGENT: ReadonlySet<PoolEvent['type']> = new Set(['leak', 'callback-failed'])

/** Reports events. What a listener throws becomes a process warning and has no other effect. */
export class Reporter {
  readonly #pool: string
  readonly #listener: ((event: PoolEvent) => void) | undefined

  constructor(pool: string, listener: ((event: PoolEvent) => void) | undefined) {
    this.#pool = pool
    this.#listener = listener
  }

  tell(event: PoolEvent): void {
    if (eventChannel.hasSubscribers) eventChannel.publish({ pool: this.#pool, event })
    else if (!this.#listener && URGENT.has(event.type)) this.#warn(event)
    try {
      this.#listener?.(event)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error))
    }
  }

  #warn(event: PoolEvent): void {
    if (event.type === 'leak') {
      const how = event.isCollected ? 'was never given back' : `is lent for ${Math.round(event.lentForMs)} ms`
      process.emitWarning(`a connection of the pool ${this.#pool} ${how}`, {
        type: 'NettsConnectionLeak',
        detail: `acquired\n${event.stack}`,
      })
    } else if (event.type === 'callback-failed') {
      process.emitWarning(event.error)
    }
  }
}
