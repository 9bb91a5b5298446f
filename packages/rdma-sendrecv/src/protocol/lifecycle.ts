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
  | 'CREDIT'
  | 'FIN'
  | 'DONE'
  | 'RESET'
  | 'RECLAIM'
  | 'FILLER'
  // from this end
  /** Finish or disconnect. */
  | 'finish'
  /** Given up, or something broke. */
  | 'fail'

const CONTROL = ['CREDIT', 'RECLAIM', 'FILLER'] as const
/** Control frames that change nothing about the state. */
function stay<S extends LifeState>(state: S): Record<(typeof CONTROL)[number], S> {
  return { CREDIT: state, RECLAIM: state, FILLER: state }
}

const END = { RESET: 'failed', fail: 'failed' } as const

/** The table. */
export const TRANSITIONS: Readonly<Record<LifeState, Partial<Record<LifeEvent, LifeState>>>> = {
  open: { DATA: 'open', ...stay('open'), FIN: 'peer-finished', finish: 'finished', ...END },
  finished: { DATA: 'finished', ...stay('finished'), FIN: 'parting', ...END },
  'peer-finished': { ...stay('peer-finished'), finish: 'parting', ...END },
  parting: { ...stay('parting'), DONE: 'parted', ...END },
  parted: { fail: 'failed' },
  failed: {},
}
