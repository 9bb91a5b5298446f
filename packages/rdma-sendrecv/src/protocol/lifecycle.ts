/**
 * The life of a transport, in one table: its states, and what leads from one to the next.
 *
 * ```
 *              finish                 peer FIN
 *   open ──────────────► finished ──────────────┐
 *    │                                          ▼         peer DONE
 *    └─────────────► peer-finished ─────────► parting ──────────────► parted
 *        peer FIN                  finish       │                       │
 *                                     delivered │             delivered │
 *   any of these ──► failed                     ▼                       │
 *     (destroy, RESET, a lie,                 closed ◄──────────────────┘
 *      an error, a lost peer)
 * ```
 *
 * FIN goes out on entering `finished`, or `parting` from `peer-finished`; DONE on entering `parting`. What is
 * missing in the table is forbidden: a frame there is a protocol error.
 */

/** States of a transport. */
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
  /** The end, with everything delivered in both directions. */
  | 'closed'
  /** The end, with something lost. */
  | 'failed'

/** What happens to a transport. */
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
  /** Every frame sent, DONE included, is at the peer: its device has acknowledged them, or on iWARP it has said DONE. */
  | 'delivered'
  /** The peer did not finish within the deadline of a disconnect, but has everything. */
  | 'abandon'
  /** Destroyed, or something broke. */
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
  finished: { DATA: 'finished', ...stay('finished'), FIN: 'parting', abandon: 'closed', ...END },
  'peer-finished': { ...stay('peer-finished'), finish: 'parting', ...END },
  parting: { ...stay('parting'), DONE: 'parted', delivered: 'closed', abandon: 'closed', ...END },
  parted: { delivered: 'closed', abandon: 'closed', fail: 'failed' },
  // What the peer sent before it saw this end's DONE may come after that arrived.
  closed: { ...stay('closed'), DONE: 'closed', fail: 'closed' },
  failed: { fail: 'failed' },
}

/** Nothing happens any more. */
export function isOver(state: LifeState): boolean {
  return state === 'closed' || state === 'failed'
}

/**
 * Whether a connection that is gone now ended cleanly.
 *
 * @param finDelivered this end's FIN is at the peer, and so is everything before it
 */
export function isCleanEnd(state: LifeState, finDelivered: boolean): boolean {
  return state === 'closed' || state === 'parted' || (state === 'parting' && finDelivered)
}
