/**
 * perftest, the measuring programs of linux-rdma, in C: what the hardware and the verbs can do. They check no
 * payload and have no flow control. Latencies are reported one way, as half of what was measured.
 */
import { measuredDevice } from '../lab/devices.js'
import type { RunSpec } from '../spec.js'
import type { ProgramContender } from './contender.js'
import { missing, runPair } from './program.js'

/** The columns of `ib_*_lat` after size and iterations: min, max, typical (median), average, stdev, 99 %, 99.9 %. */
const LATENCY =
  /^\s*\d+\s+\d+\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s*$/m
/** The columns of `ib_*_bw` after size and iterations: peak and average in units of 2^20 bytes/s, 10^6 messages/s. */
const BANDWIDTH = /^\s*\d+\s+\d+\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)\s*$/m

/** About how many bytes a measurement of bandwidth moves, and how many messages at most and at least. */
const BANDWIDTH_BYTES = 32 << 20
const MOST_ITERATIONS = 20_000
const LEAST_ITERATIONS = 200
const LATENCY_ITERATIONS = 2000

/** What `ib_*_lat` printed, as figures of a round trip. */
export function readLatency(output: string): Record<string, number> {
  const [, , , typical, average, , p99, p999] = LATENCY.exec(output) ?? []
  if (typical === undefined) throw new Error(`ib_*_lat printed no latencies:\n${output}`)
  const roundTripNs = (oneWayUs: string | undefined) => Number(oneWayUs) * 2 * 1000
  return {
    p50: roundTripNs(typical),
    p99: roundTripNs(p99),
    p999: roundTripNs(p999),
    mean: roundTripNs(average),
    rate: 1e9 / roundTripNs(average),
  }
}

/** What `ib_*_bw` printed, as figures of a flood. */
export function readBandwidth(output: string, byteLength: number): Record<string, number> {
  const [, , average, millionsPerSecond] = BANDWIDTH.exec(output) ?? []
  if (average === undefined) throw new Error(`ib_*_bw printed no bandwidth:\n${output}`)
  // Both are rounded: small messages leave more digits in the one, large ones in the other.
  const rate = byteLength < 1024 ? Number(millionsPerSecond) * 1e6 : (Number(average) * 2 ** 20) / byteLength
  return { rate, bandwidth: (rate * byteLength) / 1e6 }
}

function program(verb: 'send' | 'write', events: boolean): ProgramContender {
  const name = `ib_${verb}`
  return {
    id: `perftest-${verb}${events ? '-events' : ''}`,
    title: `perftest ${verb}${events ? ' -e' : ''}`,
    about: `${name}_lat and ${name}_bw, in C, ${events ? 'sleeping until events' : 'polling busily'}; no payload is checked`,
    needsRdma: true,
    unavailable: () => missing([`${name}_lat`, `${name}_bw`], 'perftest'),
    unsupported({ traffic, connections, observe }) {
      const measures = traffic === 'closed-loop' || traffic === 'flood'
      if (!measures || observe || connections > 1) return 'it has no such measurement'
      return undefined
    },
    async run({ traffic, byteLength }: RunSpec) {
      const device = measuredDevice()
      const flood = traffic === 'flood'
      const iterations = flood
        ? Math.max(LEAST_ITERATIONS, Math.min(MOST_ITERATIONS, Math.floor(BANDWIDTH_BYTES / byteLength)))
        : LATENCY_ITERATIONS
      const command = [`${name}_${flood ? 'bw' : 'lat'}`, '-F', '-d', device.name]
      command.push('-s', String(byteLength), '-n', String(iterations), ...(events ? ['-e'] : []))
      const output = await runPair(command, [...command, device.address])
      return flood ? readBandwidth(output, byteLength) : readLatency(output)
    },
  }
}

/** `ib_write_lat` watches memory and has no events. */
export const perftest: readonly ProgramContender[] = [
  program('send', false),
  program('send', true),
  program('write', false),
]
