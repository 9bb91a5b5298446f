/** 64-bit remote addresses in 32-bit words, without a BigInt on the hot path. */
import { SEND } from './layout.js'

/** A 64-bit remote address in two halves, each an unsigned 32-bit integer. */
export interface RemoteAddress {
  /** Bits 0 to 31. */
  readonly low: number
  /** Bits 32 to 63. */
  readonly high: number
}

/** Splits a 64-bit address, such as a {@link MemoryRegion.remoteAddress}: once per region, at setup. */
export function splitAddress(address: bigint): RemoteAddress {
  return { low: Number(address & 0xffffffffn), high: Number((address >> 32n) & 0xffffffffn) }
}

/** Joins two 32-bit halves to a 64-bit address: the inverse of {@link splitAddress}. */
export function joinAddress(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

/**
 * Writes `base + byteOffset` as the remote address of the send record that begins at word `record`.
 *
 * @param words the records, {@link QueuePair.sendRequests}
 * @param record a multiple of {@link QueuePair.sendRecordWords}
 * @param base the address of the peer's region
 * @param byteOffset an integer from 0 to 2^53 - 1
 */
export function writeRemoteAddress(
  words: Uint32Array,
  record: number,
  base: RemoteAddress,
  byteOffset: number,
): void {
  const low = base.low + (byteOffset % 0x1_0000_0000)
  const carry = low > 0xffff_ffff ? 1 : 0
  words[record + SEND.remoteAddressLow] = low
  words[record + SEND.remoteAddressHigh] = base.high + Math.floor(byteOffset / 0x1_0000_0000) + carry
}
