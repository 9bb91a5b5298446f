/**
 * The life of a connection as its two ends agree on it, in one table: its states, and what leads from one to the next.
 *
 * ```
 *              finish                 peer FIN
 *   open ──────────────► finished ──────────────┐
 *    │                                          ▼         peer DONE
 *    └─────────────► peer-finished ─────────► parting ──────────────► parted
 *        peer FIN                  finish
 *
 *   any of these ──► failed
 *     (destroy, RESET, a lie, an error, a lost peer, a peer that nobody waits for any more)
 * ```
 *
 * FIN goes out on entering `finished`, or `parting` from `peer-finished`; DONE on entering `parting`. What is
 * missing in the table is forbidden: a frame there is a protocol error.
 */
import { FIRST_OWN_KIND, frameName } from './frame.js'

/** States of a connection. */
export type LifeState =
  /** Both directions work. */
  | 'open'
  /** This end has said FIN; the peer goes on. */
  | 'finished'
  /** The peer has said FIN; this end goes on. */
  | 'peer-finished'
  /** Both have said FIN, and this end says DONE. */
  | 'parting'
  /** The peer has said DONE too: nothing more comes. */
  | 'parted'
  /** Nothing moves any more, but perhaps a RESET. */
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
  /** Finish or disconnect. */
  | 'finish'
  /** Given up, or something broke. */
  | 'fail'

const END = { RESET: 'failed', fail: 'failed' } as const

/** The table. */
export const TRANSITIONS: Readonly<Record<LifeState, Partial<Record<LifeEvent, LifeState>>>> = {
  open: { DATA: 'open', CREDIT: 'open', FIN: 'peer-finished', finish: 'finished', ...END },
  finished: { DATA: 'finished', CREDIT: 'finished', FIN: 'parting', ...END },
  'peer-finished': { CREDIT: 'peer-finished', finish: 'parting', ...END },
  parting: { CREDIT: 'parting', DONE: 'parted', ...END },
  parted: { fail: 'failed' },
  failed: {},
}

/** What a frame of this kind means to the life of a connection. */
export function eventOf(kind: number): LifeEvent {
  return kind < FIRST_OWN_KIND ? (frameName(kind) as LifeEvent) : 'CREDIT'
}
