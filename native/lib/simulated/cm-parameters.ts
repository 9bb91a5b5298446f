/** What the simulated connection manager says and waits for: parameters, timeouts, padding. */
import { checkInteger, invalidArgument } from '@netts/core/driver'
import type { ConnectionParameters } from '../verbs/cm.js'
import type { SimulationMode } from './contract.js'

/** `IB_CM_REJ_CONSUMER_DEFINED` and `IB_CM_REJ_INVALID_SERVICE_ID` of the kernel's `ib_cm.h`; iWARP has errnos. */
export const REJECTED_BY_CONSUMER = { roce: 28, iwarp: 104 } as const
export const REJECTED_NO_LISTENER = 8
/**
 * How long the CM goes on asking: 16 times about 4.3 s on InfiniBand and RoCE (`CMA_CM_RESPONSE_TIMEOUT`,
 * `CMA_MAX_CM_RETRIES` in the kernel's `cma.c`); Linux' TCP gives up connecting after about 127 s.
 */
export const CM_TIMEOUT_MS = { roce: 68_700, iwarp: 127_000 } as const
/** How long unacknowledged data keeps TCP trying (`tcp_retries2` of 15). */
const TCP_TIMEOUT_MS = 924_600
/** What the CM takes for a RoCE packet's life time, as a shift (`CMA_IBOE_PACKET_LIFETIME` plus one). */
export const DEFAULT_ACK_TIMEOUT = 19
/** How long a RoCE queue pair's number stays reserved after a disconnect, in the order of the kernel's. */
export const TIMEWAIT_MS = 2_150
export const WILDCARDS = new Set(['0.0.0.0', '::'])

/** What the kernel makes of absent parameters. */
export function complete(parameters: ConnectionParameters, most: number, operation: string) {
  const { privateData = new Uint8Array(0), responderResources = 1, initiatorDepth = 1 } = parameters
  const { retryCount = 7, rnrRetryCount = 6 } = parameters
  if (privateData.byteLength > most) {
    throw invalidArgument(
      `${privateData.byteLength} bytes of private data; there is room for ${most}`,
      operation,
    )
  }
  checkInteger('responderResources', responderResources, 0, 255)
  checkInteger('initiatorDepth', initiatorDepth, 0, 255)
  checkInteger('retryCount', retryCount, 0, 7)
  checkInteger('rnrRetryCount', rnrRetryCount, 0, 7)
  return {
    privateData: Uint8Array.from(privateData),
    responderResources,
    initiatorDepth,
    retryCount,
    rnrRetryCount,
  }
}

/** Complete parameters. */
export type CompleteParameters = ReturnType<typeof complete>

/** InfiniBand and RoCE messages have fields of a fixed size. */
export function pad(mode: SimulationMode, privateData: Uint8Array, byteLength: number): Uint8Array {
  if (mode === 'iwarp') return privateData.slice()
  const padded = new Uint8Array(byteLength)
  padded.set(privateData)
  return padded
}

/** How long the peer may be silent before the connection counts as broken, in milliseconds. */
export function patience(mode: SimulationMode, ackTimeout: number, retryCount: number): number {
  if (mode === 'iwarp') return TCP_TIMEOUT_MS
  return ackTimeout === 0 ? Number.POSITIVE_INFINITY : 4.096e-3 * 2 ** ackTimeout * (retryCount + 1)
}
