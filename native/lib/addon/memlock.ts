/** How much memory this process may pin. */
import { readFileSync } from 'node:fs'
import { loadAddon } from './load-addon.js'

/** From `linux/capability.h`: the holder is exempt from RLIMIT_MEMLOCK. */
const CAP_IPC_LOCK = 14n

/** Whether the process has CAP_IPC_LOCK. */
function mayLockAnyMemory(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]
  return effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_IPC_LOCK) & 1n) === 1n
}

/** The limit in bytes; `Infinity` when there is none, or it does not apply. */
export function memlockLimitBytes(): number {
  const { memlockLimitBytes: limit } = loadAddon().probe(0)
  return limit < 0 || mayLockAnyMemory() ? Number.POSITIVE_INFINITY : limit
}
