/**
 * The memory transports copy into, on its way out and in: blocks of two sizes, shared by every transport of the
 * process, so that an idle connection holds none and a busy one finds warm memory.
 */

/** What the kernel gives and takes well at once, and the most that Node.js reads in one go. */
export const BLOCK_BYTES = 64 * 1024

/** A page, for a short answer by itself: thousands of connections may each send one in the same turn. */
export const SMALL_BLOCK_BYTES = 4096

/**
 * How many free blocks of each size are kept for later: 17 MiB, four large ones for each of 64 saturated connections.
 * What is given back beyond that is left to the garbage collector.
 */
const MAX_FREE = 256

const free: Buffer[] = []
const freeSmall: Buffer[] = []

/** Takes a block. Not cleared, and never part of Node's own small-buffer pool. */
export function takeBlock(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
}

/** Takes a block of {@link SMALL_BLOCK_BYTES}. */
export function takeSmallBlock(): Buffer {
  return freeSmall.pop() ?? Buffer.allocUnsafeSlow(SMALL_BLOCK_BYTES)
}

/** Gives a block of either size back, once, when nothing refers to its bytes any more. */
export function giveBlock(block: Buffer): void {
  const same = block.length === BLOCK_BYTES ? free : freeSmall
  if (same.length < MAX_FREE) same.push(block)
}
