/** How much memory this process may pin. */
import { readFileSync } from 'node:fs'

/** From `linux/capability.h`: the holder is exempt from RLIMIT_MEMLOCK. */
const CAP_IPC_LOCK = 14n

/**
 * Whether the process has CAP_IPC_LOCK in the first user namespace, which the kernel asks for. That namespace maps all
 * user ids to themselves. In another one, such as that of a rootless container, a process may have all capabilities
 * without effect.
 */
function mayLockAnyMemory(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
  if (effective === undefined || ((BigInt(`0x${effective}`) >> CAP_IPC_LOCK) & 1n) === 0n) return false
  return /^\s*0\s+0\s+4294967295$/m.test(readFileSync('/proc/self/uid_map', 'latin1'))
}

/**
 * RLIMIT_MEMLOCK in bytes; `Infinity` when it is unlimited, or does not apply. It is read from files of `/proc`,
 * without opening a device, since it is needed for every slab.
 */
export function memlockLimitBytes(): number {
  const soft = /^Max locked memory\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
  const limit = soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
  return mayLockAnyMemory() ? Number.POSITIVE_INFINITY : limit
}
