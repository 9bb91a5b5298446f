/**
 * The memory that transports copy into for sending and receiving: blocks of two sizes, shared by every transport of the
 * process. An idle connection holds none, and a busy one reuses memory that is in the processor's caches.
 */

/** The size of a block: the most that Node.js reads at once (64 KiB, in libuv). */
export const BLOCK_BYTES = 64 * 1024

/**
 * The size of a small block: one page, for a short message that is sent alone. Thousands of connections may each send one
 * in the same turn of the event loop.
 */
export const SMALL_BLOCK_BYTES = 4096

/**
 * How many free blocks of each size are kept: 17 MiB, four large ones for each of 64 saturated connections. Further ones
 * are left to the garbage collector.
 */
const MAX_FREE = 256

const free: Buffer[] = []
const freeSmall: Buffer[] = []

/** Takes a block. It is not cleared, and never part of Node's pool of small buffers. */
export function takeBlock(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
}

/** Takes a block of {@link SMALL_BLOCK_BYTES}. It is not cleared. */
export function takeSmallBlock(): Buffer {
  return freeSmall.pop() ?? Buffer.allocUnsafeSlow(SMALL_BLOCK_BYTES)
}

/**
 * Gives a block of either size back, once, when nothing refers to its bytes any more. A block that has another size by
 * now is dropped: a program transferred the memory of a chunk that it received.
 */
export function giveBlock(block: Buffer): void {
  if (block.length === BLOCK_BYTES) {
    if (free.length < MAX_FREE) free.push(block)
  } else if (block.length === SMALL_BLOCK_BYTES && freeSmall.length < MAX_FREE) {
    freeSmall.push(block)
  }
}
