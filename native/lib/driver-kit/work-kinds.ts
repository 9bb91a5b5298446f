/** What a driver's work requests are, as their ids say: kind, and slot. */

/** The kinds of work requests that transports of the kit post, see {@link workRequestIdLow}. */
export const WorkKind = {
  /** The slot is an index that the driver's receives know. */
  receive: 1,
  /** The slot is a place of `SendPlaces`. */
  send: 2,
  /** Of the driver's own, and unsignalled: it completes only if it fails. */
  other: 3,
} as const
