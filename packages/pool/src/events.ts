/** What a pool tells: events, to its own listener and on `node:diagnostics_channel`. */
import { type Channel, channel } from 'node:diagnostics_channel'
import type { Address, NettsError } from '@netts/core'

/**
 * Why a connection is no longer in its pool:
 *
 * - `idle`: nobody used it for `idleTimeoutMs`;
 * - `lifetime`, `uses`: it reached `maxLifetimeMs` or `maxUses`;
 * - `lost`: it ended by an error; `ended`: the peer ended it;
 * - `unclean`: it came back with messages not taken, or a `recv` that waited or was cancelled, or input came while idle;
 * - `invalid`, `reset`: `validate` or `reset` said no;
 * - `released`: its borrower closed it, or gave it back with an error;
 * - `leaked`: its borrower was garbage-collected;
 * - `down`: the circuit breaker took its endpoint out; `removed`: its endpoint left the list;
 * - `closed`: the pool closes.
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

/** What happened in a pool. */
export type PoolEvent =
  | { readonly type: 'connect'; readonly endpoint: Address; readonly wire: string; readonly tookMs: number }
  | {
      readonly type: 'connect-failed'
      readonly endpoint: Address
      readonly error: NettsError
      /** Whether it is this machine's or this program's fault: the circuit breaker does not count it. */
      readonly isLocal: boolean
      /** When the endpoint is tried again; `undefined` when that is up to the next call. */
      readonly retryAfterMs: number | undefined
    }
  | {
      readonly type: 'retire'
      readonly endpoint: Address
      readonly reason: RetireReason
      readonly error: NettsError | undefined
    }
  | { readonly type: 'acquire-failed'; readonly error: NettsError }
  | {
      readonly type: 'endpoint-down'
      readonly endpoint: Address
      readonly error: NettsError | undefined
      readonly probeAfterMs: number
    }
  | { readonly type: 'endpoint-up'; readonly endpoint: Address }
  | {
      readonly type: 'fallback'
      readonly endpoint: Address
      /** The wire that it runs on instead. */
      readonly wire: string
      readonly preferred: string
      /** When the preferred wire is tried again. */
      readonly retryAfterMs: number
    }
  | { readonly type: 'endpoints'; readonly added: readonly Address[]; readonly removed: readonly Address[] }
  /** The endpoints could not be looked up; those known before stay. */
  | { readonly type: 'endpoints-failed'; readonly error: NettsError }
  /** A connection is lent for longer than `leakAfterMs`, or its borrower was garbage-collected. */
  | {
      readonly type: 'leak'
      readonly endpoint: Address
      readonly lentForMs: number
      readonly stack: string
      readonly isCollected: boolean
    }
  /** A function of the program's threw, or returned what it may not; what it was asked for was done by default. */
  | { readonly type: 'callback-failed'; readonly callback: string; readonly error: NettsError }

/** The message of the channel `netts:pool:event`. */
export interface PoolDiagnostics {
  /** The pool's `name`. */
  readonly pool: string
  readonly event: PoolEvent
}

/** The names of the channels. */
export const POOL_CHANNELS = { event: 'netts:pool:event' } as const

const eventChannel = channel(POOL_CHANNELS.event) as Channel<PoolDiagnostics>

/** Events that somebody should know of: without a listener, they are process warnings. */
const URGENT: ReadonlySet<PoolEvent['type']> = new Set(['leak', 'callback-failed'])

/** Tells events. What a listener throws is a process warning, and nothing else. */
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
