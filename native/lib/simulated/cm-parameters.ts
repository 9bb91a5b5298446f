/** Parameters, timeouts and padding of the simulated connection manager. */
import { checkInteger, invalidArgument } from '@netts/core/driver'
import type { ConnectionParameters } from '../verbs/cm.js'
import type { SimulationMode } from './contract.js'

/** Status of a rejection by a program: `IB_CM_REJ_CONSUMER_DEFINED` of the kernel's `ib_cm.h`; on iWARP ECONNRESET. */
export const REJECTED_BY_CONSUMER = { roce: 28, iwarp: 104 } as const
/** Status of a rejection without a listener: `IB_CM_REJ_INVALID_SERVICE_ID` of the kernel's `ib_cm.h`. */
export const REJECTED_NO_LISTENER = 8
/**
 * How long the CM repeats a request: 16 times about 4.3 s on InfiniBand and RoCE (`CMA_CM_RESPONSE_TIMEOUT`,
 * `CMA_MAX_CM_RETRIES` in the kernel's `cma.c`). The TCP of Linux gives up connecting after about 127 s.
 */
export const CM_TIMEOUT_MS = { roce: 68_700, iwarp: 127_000 } as const
/** How long TCP repeats data that is not acknowledged (`tcp_retries2` of 15). */
const TCP_TIMEOUT_MS = 924_600
/** The exponent of the ACK timeout that the CM chooses for RoCE (`CMA_IBOE_PACKET_LIFETIME` plus one). */
export const DEFAULT_ACK_TIMEOUT = 19
/** How long a RoCE queue pair's number stays reserved after a disconnect, about as long as in the kernel. */
export const TIMEWAIT_MS = 2_150
/** The addresses that stand for every interface. */
export const WILDCARDS = new Set(['0.0.0.0', '::'])

/** Checks parameters and adds the defaults. @param most bytes of private data that the message can carry */
export function complete(parameters: ConnectionParameters, most: number, operation: string) {
  const { privateData = new Uint8Array(0), responderResources = 1, initiatorDepth = 1 } = parameters
  const { retryCount = 7, rnrRetryCount = 6 } = parameters
  if (privateData.byteLength > most) {
    throw invalidArgument(
      `privateData has ${privateData.byteLength} bytes, more than the ${most} that fit`,
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

/** Connection parameters with their defaults. */
export type CompleteParameters = ReturnType<typeof complete>

/** Pads private data with zeros on RoCE, whose messages have fields of a fixed size. */
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
