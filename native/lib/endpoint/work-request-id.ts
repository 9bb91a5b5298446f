/**
 * Work request ids as the endpoint and its drivers use them: the low word has the kind of request (8 bits) and its slot
 * (24 bits), the high word is for the driver, such as a generation.
 */

/** Bits of the slot in the low word; the other bits are the kind. */
const SLOT_BITS = 24
const SLOT_MASK = 0xff_ffff

/** Kinds from here on are for requests of the endpoint itself. */
export const FIRST_INTERNAL_KIND = 0xf0

/** Requests that the endpoint posts itself. */
export const InternalKind = {
  readyReceive: 0xf0,
  readySend: 0xf1,
  keepAlive: 0xf2,
  drainSend: 0xf3,
  drainReceive: 0xf4,
  confirmation: 0xf5,
} as const

/**
 * Builds the low word of a work request id, for `SEND.idLow` and `RECEIVE.idLow`. It checks nothing.
 * @param kind of request, 0 to 239; higher ones are the endpoint's
 * @param slot 0 to 2^24 - 1
 */
export function workRequestIdLow(kind: number, slot: number): number {
  return ((kind << SLOT_BITS) | slot) >>> 0
}

/** Reads the kind from the low word of a work request id, such as `COMPLETION.idLow`. */
export function kindOf(idLow: number): number {
  return idLow >>> SLOT_BITS
}

/** Reads the slot from the low word of a work request id, such as `COMPLETION.idLow`. */
export function slotOf(idLow: number): number {
  return idLow & SLOT_MASK
}
