/**
 * Work request ids as the endpoint and its drivers use them: the low word says what kind of request it is and which
 * slot it uses, the high word is the driver's own, such as a generation.
 */

/** Bits of the slot in the low word; the kind has the rest. */
const SLOT_BITS = 24
const SLOT_MASK = 0xff_ffff

/** Kinds from here on are the endpoint's own. */
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
 * The low word of a work request id.
 * @param kind from 0 to 239
 * @param slot from 0 to 2^24 - 1
 */
export function workRequestIdLow(kind: number, slot: number): number {
  return ((kind << SLOT_BITS) | slot) >>> 0
}

/** The kind in the low word of a work request id. */
export function kindOf(idLow: number): number {
  return idLow >>> SLOT_BITS
}

/** The slot in the low word of a work request id. */
export function slotOf(idLow: number): number {
  return idLow & SLOT_MASK
}
