/** `rstream`: rsockets, the sockets over RDMA of librdmacm, in C, every payload verified. */
import { measuredDevice } from '../lab/devices.js'
import type { RunSpec } from '../spec.js'
import type { ProgramContender } from './contender.js'
import { missing, runPair } from './program.js'

/** The line of results: name, bytes, transfers, iterations, total, time, Gb/s, and µs for one transfer one way. */
const RESULT = /^custom\s.*\s([\d.]+)\s*$/m

const ROUND_TRIPS = 2000
const FLOOD_BYTES = 8 << 20
const MOST_TRANSFERS = 20_000

/** @returns microseconds for one transfer one way: the mean, as it gives no other */
export function readTransferUs(output: string): number {
  const [, transferUs] = RESULT.exec(output) ?? []
  if (transferUs === undefined) throw new Error(`rstream printed no result:\n${output}`)
  return Number(transferUs)
}

export const rstream: ProgramContender = {
  id: 'rstream',
  title: 'rstream',
  about: 'rsockets of librdmacm, in C, payloads verified; it knows means only',
  needsRdma: true,
  unavailable: () => missing(['rstream'], 'rdmacm-utils'),
  unsupported({ traffic, connections, observe }) {
    const measures = traffic === 'closed-loop' || traffic === 'flood'
    if (!measures || observe || connections > 1) return 'it has no such measurement'
    return undefined
  },
  async run({ traffic, byteLength }: RunSpec) {
    const { address } = measuredDevice()
    const flood = traffic === 'flood'
    const transfers = flood ? Math.min(MOST_TRANSFERS, Math.floor(FLOOD_BYTES / byteLength)) : 1
    const iterations = flood ? 1 : ROUND_TRIPS
    const options = ['-T', 'v', '-S', String(byteLength), '-C', String(transfers), '-I', String(iterations)]
    const output = await runPair(
      ['rstream', '-b', address, ...options],
      ['rstream', '-s', address, ...options],
    )
    const transferUs = readTransferUs(output)
    if (!flood) return { mean: transferUs * 2 * 1000, rate: 1e6 / (transferUs * 2) }
    return { rate: 1e6 / transferUs, bandwidth: byteLength / transferUs }
  },
}
