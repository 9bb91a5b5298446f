/** What absolute figures were measured on. */
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  /** A hypervisor's or emulator's name where one shows. */
  readonly virtual?: string | undefined
  /** Load average over a minute when the run began: what else was going on. */
  readonly loadBefore: number
}

export function describeMachine(): Machine {
  const [first, ...others] = cpus()
  return {
    cpu: (first?.model ?? 'unknown').trim(),
    cores: others.length + 1,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
    virtual: hypervisor(),
    loadBefore: loadavg()[0] as number,
  }
}

/** From /sys and /proc/cpuinfo, where Linux tells. */
function hypervisor(): string | undefined {
  for (const path of ['/sys/hypervisor/type', '/sys/class/dmi/id/sys_vendor']) {
    try {
      return readFileSync(path, 'utf8').trim()
    } catch {
      // Not there: another one may be.
    }
  }
  try {
    return /^flags.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'))
      ? 'a virtual machine'
      : undefined
  } catch {
    return undefined
  }
}
