/**
 * The memory that transports copy into for sending and receiving: blocks of one size, shared by every transport of the
 * process. An idle connection holds none, and a busy one reuses memory that is in the processor's caches.
 */

/** The size of a block: the most that Node.js reads at once (64 KiB, in libuv). */
export const BLOCK_BYTES = 64 * 1024

/**
 * How many free blocks are kept: 16 MiB, four for each of 64 saturated connections. Further ones are left to the garbage
 * collector.
 */
const MAX_FREE = 256

const free: Buffer[] = []

/** Takes a block. It is not cleared, and never part of Node's pool of small buffers. */
export function takeBlock(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
}

/** Gives a block back. Call it once, when nothing refers to its bytes any more. */
export function giveBlock(block: Buffer): void {
  if (free.length < MAX_FREE) free.push(block)
}
