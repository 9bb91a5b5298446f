/**
 * The states of a connection, and the events that lead from one to another, in one table.
 *
 * ```
 *              finish                 peer FIN
 *   open ──────────────► finished ──────────────┐
 *    │                                          ▼         peer DONE
 *    └─────────────► peer-finished ─────────► parting ──────────────► parted
 *        peer FIN                  finish
 *
 *   any of these ──► failed
 *     (destroy, RESET, a protocol error, any other error, a lost peer, a deadline that passed)
 * ```
 *
 * FIN is sent on entering `finished`, or `parting` from `peer-finished`; DONE on entering `parting`. A frame for which
 * the table has no entry is a protocol error.
 */
import { FIRST_OWN_KIND, frameName } from './frame.js'

/** States of a connection. */
export type LifeState =
  /** Both directions work. */
  | 'open'
  /** This end has finished; the peer may send data. */
  | 'finished'
  /** The peer has finished; this end may send data. */
  | 'peer-finished'
  /** Both have finished: this end sends DONE and waits for the peer's. */
  | 'parting'
  /** The peer has sent DONE: nothing more comes. */
  | 'parted'
  /** Nothing is sent or taken any more, except a RESET that may still be sent. */
  | 'failed'

/** What happens to a connection. */
export type LifeEvent =
  // frames from the peer
  | 'DATA'
  /** CREDIT, and every control frame of a driver's own kind: they change nothing about the state. */
  | 'CREDIT'
  | 'FIN'
  | 'DONE'
  | 'RESET'
  // from this end
  /** The program finished or disconnected. */
  | 'finish'
  /** The program gave the connection up, or it failed. */
  | 'fail'

const END = { RESET: 'failed', fail: 'failed' } as const

/** The next state, by state and event. */
export const TRANSITIONS: Readonly<Record<LifeState, Partial<Record<LifeEvent, LifeState>>>> = {
  open: { DATA: 'open', CREDIT: 'open', FIN: 'peer-finished', finish: 'finished', ...END },
  finished: { DATA: 'finished', CREDIT: 'finished', FIN: 'parting', ...END },
  'peer-finished': { CREDIT: 'peer-finished', finish: 'parting', ...END },
  parting: { CREDIT: 'parting', DONE: 'parted', ...END },
  parted: { fail: 'failed' },
  failed: {},
}

/** The event that a frame of this kind is. */
export function eventOf(kind: number): LifeEvent {
  return kind < FIRST_OWN_KIND ? (frameName(kind) as LifeEvent) : 'CREDIT'
}
