/** The facts about a peer: plain data, which `judge.ts` judges. */
import type { Times } from '../../measure/percentiles.js'
import type { Counters } from '../facts.js'
import type { Greeting, Wire } from './messages.js'

/** The result of an attempt, or its error. */
export type Attempt<T> =
  | ({ readonly failed: false } & T)
  | { readonly failed: true; readonly code: string; readonly message: string }

/** The error counters that increased while a wire was tried. */
export interface Losses {
  readonly here: Counters
  readonly there: Counters
  /** Retransmitted segments of TCP on each side, of all connections of the host. */
  readonly tcpHere: number
  readonly tcpThere: number
}

/** The results of one wire. Steps after one that failed were not tried. */
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

/** All facts. */
export interface PeerFacts {
  readonly peer: string
  /** How long the control connection took. */
  readonly connectMs: number
  readonly here: Greeting
  readonly there: Greeting
  readonly wires: readonly WireFacts[]
}
