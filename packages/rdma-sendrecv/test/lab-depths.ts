/**
 * The extremes of the receive window and every way to wait, of both ends, in pairs: the orthogonal array L9 has
 * every pair of three levels of four factors in nine rows.
 */
import type { SendRecvOptions } from '../src/index.js'
import type { LabSetting } from './lab-conformance.js'

const DEPTHS = {
  one: { recvDepth: 1 },
  '512 fixed': { recvDepth: 512, recvDepthInitial: 512, bufferSize: 2048 },
  '512 elastic': { recvDepth: 512, recvDepthInitial: 1, bufferSize: 2048 },
} as const satisfies Record<string, SendRecvOptions>

/** A receive window, by name. */
export type DepthName = keyof typeof DEPTHS

const DEPTH_NAMES = Object.keys(DEPTHS) as DepthName[]
const POLLINGS = ['event', 'adaptive', 'busy'] as const

/** The three of the nine rows whose client has this window. */
export function settingsWithClient(depth: DepthName): Record<string, LabSetting> {
  const row = DEPTH_NAMES.indexOf(depth)
  const settings = POLLINGS.map((polling, column): [string, LabSetting] => {
    const serverDepth = DEPTH_NAMES[(row + column) % 3]!
    const serverPolling = POLLINGS[(2 * row + column) % 3]!
    return [
      `${depth}, ${polling}, against ${serverDepth}, ${serverPolling}`,
      {
        client: { ...DEPTHS[depth], polling },
        server: { ...DEPTHS[serverDepth], polling: serverPolling },
      },
    ]
  })
  return Object.fromEntries(settings)
}
