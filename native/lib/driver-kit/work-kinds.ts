/** The kinds of work requests that a driver of the kit posts, as their ids have them. */

/** The kinds of work requests that transports of the kit post, see {@link workRequestIdLow}. */
export const WorkKind = {
  /** A receive. The slot is the driver's index for it. */
  receive: 1,
  /** A send. The slot is a place of `SendPlaces`. */
  send: 2,
  /** Another request of the driver, not signalled: it gives a completion only if it fails. */
  other: 3,
} as const
