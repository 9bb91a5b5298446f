/**
 * The memory transports copy into, on its way out and in: blocks of one size, shared by every transport of the
 * process, so that an idle connection holds none and a busy one finds warm memory.
 */

/** What the kernel gives and takes well at once, and the most that Node.js reads in one go. */
export const BLOCK_BYTES = 64 * 1024

/**
 * How many free blocks are kept for later: 16 MiB, four for each of 64 saturated connections. What is given back beyond
 * that is left to the garbage collector.
 */
const MAX_FREE = 256

const free: Buffer[] = []

/** Takes a block. Not cleared, and never part of Node's own small-buffer pool. */
export function takeBlock(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
}

/** Gives a block back, once, when nothing refers to its bytes any more. */
export function giveBlock(block: Buffer): void {
  if (free.length < MAX_FREE) free.push(block)
}
