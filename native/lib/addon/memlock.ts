/** How much memory this process may pin. */
import { readFileSync } from 'node:fs'

/** From `linux/capability.h`: the holder is exempt from RLIMIT_MEMLOCK. */
const CAP_IPC_LOCK = 14n

/**
 * Whether the process has CAP_IPC_LOCK where it counts: the kernel asks for it in the first user namespace, which maps
 * all numbers to themselves. In another one, such as a rootless container's, everything seems to be allowed.
 */
function mayLockAnyMemory(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
  if (effective === undefined || ((BigInt(`0x${effective}`) >> CAP_IPC_LOCK) & 1n) === 0n) return false
  return /^\s*0\s+0\s+4294967295$/m.test(readFileSync('/proc/self/uid_map', 'latin1'))
}

/**
 * The limit in bytes; `Infinity` when there is none, or it does not apply. Asked for with every slab, so that it opens
 * no device to find out.
 */
export function memlockLimitBytes(): number {
  const soft = /^Max locked memory\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
  const limit = soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
  return mayLockAnyMemory() ? Number.POSITIVE_INFINITY : limit
}
