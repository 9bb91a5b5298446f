/**
 * Ends the lab when whoever started it is gone. A process is not told that its parent was killed, and between
 * us and the shell there are package managers which do not pass it on; so the chain is watched.
 */
import { readFileSync } from 'node:fs'

const INTERVAL_MS = 500

/** Calls `then` once our parent, or that of the package managers above us, is gone. */
export function whenAbandoned(then: () => void): void {
  const chain = ancestors()
  const timer = setInterval(() => {
    if (chain.every(({ pid, started }) => statOf(pid)?.started === started)) return
    clearInterval(timer)
    then()
  }, INTERVAL_MS)
  timer.unref()
}

interface Ancestor {
  pid: number
  /** The start time tells a process from a later one with the same number. */
  started: string
}

/** Our ancestors up to the first that is no package manager, nor a shell that one started. */
function ancestors(): Ancestor[] {
  const chain: Ancestor[] = []
  let pid = process.ppid
  for (;;) {
    const stat = pid > 1 ? statOf(pid) : undefined
    if (stat === undefined) return chain
    chain.push({ pid, started: stat.started })
    if (!isPackageManager(pid) && !(isShell(pid) && isPackageManager(stat.parent))) return chain
    pid = stat.parent
  }
}

function isPackageManager(pid: number): boolean {
  return /(^|\/)(npm|npx|pnpm|pnpx|yarn)(-cli)?(\.[cm]?js)?( |$)/.test(commandLine(pid))
}

function isShell(pid: number): boolean {
  return /^(\S*\/)?(sh|bash|dash) -c /.test(commandLine(pid))
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

/** Fields 4 and 22 of /proc/PID/stat, see proc(5); the name before them may hold spaces and parentheses. */
function statOf(pid: number): { parent: number; started: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return undefined
    return { parent: Number(fields[1]), started: fields[19] ?? '' }
  } catch {
    return undefined
  }
}
