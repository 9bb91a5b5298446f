/** Work request ids of this driver: what completed, and in which slot. */

/** The kind in a work request's id. */
export const WorkKind = {
  /** The slot is an index of `ReceiveBuffers`. */
  receive: 1,
  /** The slot is an index of `SendQueue`'s ring. */
  send: 2,
} as const
