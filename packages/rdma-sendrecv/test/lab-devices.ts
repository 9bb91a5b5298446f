/** The devices of the lab, and what they count. */
import { readdirSync, readFileSync } from 'node:fs'

/** An entry of `NETTS_LAB_DEVICES`. */
export interface LabDevice {
  readonly name: string
  readonly type: 'rxe' | 'siw' | 'hardware'
  readonly address: string
  /** With two hosts, the other's. */
  readonly peerAddress?: string
}

/** The devices of this process; none outside the lab. */
export function labDevices(): readonly LabDevice[] {
  return JSON.parse(process.env.NETTS_LAB_DEVICES ?? '[]') as LabDevice[]
}

/**
 * What a device counts of sends that had to be repeated, by name, and how often it found a receiver not ready.
 * Soft-RoCE counts both (`hw_counters` of its port, whose names are those of Linux's `rxe_hw_counters.c`). Soft-iWARP
 * counts nothing: there a receiver that is not ready ends the connection, and it is TCP that repeats, for which
 * there is a count of the whole machine.
 */
export function repeats({ name, type }: LabDevice): Readonly<Record<string, number>> {
  if (type === 'siw') return { RetransSegs: tcpRetransmissions() }
  const folder = `/sys/class/infiniband/${name}/ports/1/hw_counters`
  const counters = readdirSync(folder).filter((counter) => /rnr|retry|duplicate|seq/.test(counter))
  return Object.fromEntries(
    counters.map((counter) => [counter, Number(readFileSync(`${folder}/${counter}`, 'utf8'))]),
  )
}

/** Segments that TCP sent again, on the whole machine (`/proc/net/snmp`: a line of names, and one of values). */
function tcpRetransmissions(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '))
  return Number(values?.[names?.indexOf('RetransSegs') ?? -1])
}
