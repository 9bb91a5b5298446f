/** The devices of the lab, and what they count. */
import assert from 'node:assert/strict'
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

/** How long Soft-RoCE waits for an acknowledgement before it sends again: 4.096 µs × 2^16, as endpoints ask. */
const ACK_TIMEOUT_MS = 268

/** A device's counters at a moment. */
export interface RepeatCounts {
  readonly atMs: number
  readonly counters: Readonly<Record<string, number>>
}

/**
 * What a device counts of sends that had to be repeated, by name, and how often it found a receiver not ready.
 * Soft-RoCE counts both (`hw_counters` of its port, whose names are those of Linux's `rxe_hw_counters.c`). Soft-iWARP
 * counts nothing: there a receiver that is not ready ends the connection, and it is TCP that repeats, for which
 * there is a count of the whole machine.
 */
export function repeatCounts({ name, type }: LabDevice): RepeatCounts {
  const atMs = performance.now()
  if (type === 'siw') return { atMs, counters: { RetransSegs: tcpRetransmissions() } }
  const folder = `/sys/class/infiniband/${name}/ports/1/hw_counters`
  const names = readdirSync(folder).filter((counter) => /rnr|retry|seq/.test(counter))
  assert.ok(names.includes('send_rnr_err'), `${name} has no counters of what it repeats`)
  const read = (counter: string) => Number(readFileSync(`${folder}/${counter}`, 'utf8'))
  return { atMs, counters: Object.fromEntries(names.map((counter) => [counter, read(counter)])) }
}

/** Fails if the device found a receiver not ready since then. */
export function assertAlwaysReady(device: LabDevice, since: RepeatCounts): void {
  const notReady = ({ counters }: RepeatCounts) =>
    Object.entries(counters).filter(([counter]) => counter.includes('rnr'))
  assert.deepEqual(notReady(repeatCounts(device)), notReady(since))
}

/**
 * Fails if the device found a receiver not ready since then, or if anything was missing and had to be sent again.
 *
 * Soft-RoCE of Linux 6.1 repeats also where nothing is missing: its timer for acknowledgements is started with a
 * send, not stopped when all is acknowledged, and not started anew by the next send, so it goes off in the midst of
 * what is under way then. (`ib_send_lat` shows the same.) So that may happen once in its time, at each end.
 */
export function assertNoRepeats(device: LabDevice, since: RepeatCounts): void {
  const now = repeatCounts(device)
  const { completer_retry_err: before = 0, ...countersBefore } = since.counters
  const { completer_retry_err: after = 0, ...counters } = now.counters
  assert.deepEqual(counters, countersBefore, 'something was not there, and was sent again')
  const most = 2 * Math.ceil((now.atMs - since.atMs) / ACK_TIMEOUT_MS)
  assert.ok(after - before <= most, `${after - before} repeats, where the timer explains ${most}`)
}

/** Segments that TCP sent again, on the whole machine (`/proc/net/snmp`: a line of names, and one of values). */
function tcpRetransmissions(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '))
  return Number(values?.[names?.indexOf('RetransSegs') ?? -1])
}
