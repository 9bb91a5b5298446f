/** What was found out about a peer: plain data, judged by `judge.ts`. */
import type { Times } from '../../measure/percentiles.js'
import type { Counters } from '../facts.js'
import type { Greeting, Wire } from './messages.js'

/** An attempt: what it gave, or what it failed with. */
export type Attempt<T> =
  | ({ readonly failed: false } & T)
  | { readonly failed: true; readonly code: string; readonly message: string }

/** What rose while a wire was tried. */
export interface Losses {
  readonly here: Counters
  readonly there: Counters
  /** Segments that TCP sent again, by side. The whole host's, whoever sent them. */
  readonly tcpHere: number
  readonly tcpThere: number
}

/** What came of one wire. Steps behind one that failed were not tried. */
export interface WireFacts {
  readonly wire: Wire
  /** Why it was not tried. */
  readonly skipped?: string
  readonly connect?: Attempt<{ readonly tookMs: number }>
  /** Of 64 bytes. */
  readonly roundTrips?: Attempt<Times>
  /** Of 4 MiB each. */
  readonly toPeer?: Attempt<{ readonly bytesPerSecond: number }>
  readonly fromPeer?: Attempt<{ readonly bytesPerSecond: number }>
  readonly losses?: Losses
}

/** Everything that was found. */
export interface PeerFacts {
  readonly peer: string
  /** Over the control connection. */
  readonly connectMs: number
  readonly here: Greeting
  readonly there: Greeting
  readonly wires: readonly WireFacts[]
}
