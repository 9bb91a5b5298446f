/** The options that all drivers over RDMA have, their defaults and their checks. */
import { isIP } from 'node:net'
import { checkChoice, checkInteger, checkTimeout, invalidArgument } from '@netts/core/driver'
import type { Polling } from '../endpoint/completion-loop.js'

/** Options that every driver over RDMA has. The two ends of a connection may have different ones. */
export interface RdmaOptions {
  /** Sends that may be under way at a time; a further one is refused until one is complete. 1 to 16384. @default 64 */
  readonly sendDepth?: number | undefined
  /**
   * A frame of up to so many bytes, header included, is handed to the device inside the work request, which saves the
   * device a read of memory. Devices have a limit, mostly some hundreds: if it is lower than this, connecting fails. 0
   * hands over nothing so. 0 to 4096. @default 0
   */
  readonly inlineThreshold?: number | undefined
  /**
   * How to wait for completions: `event` sleeps at once and uses the least CPU; `busy` polls all the time, with the
   * least latency, and uses a whole core; `adaptive` polls for a while after activity, and then sleeps.
   * @default 'adaptive'
   */
  readonly polling?: Polling | undefined
  /**
   * With `adaptive`: for so many microseconds after the last completion it goes on polling. 0 to 1000000.
   * @default 200
   */
  readonly adaptiveMicroseconds?: number | undefined
  /**
   * For so many microseconds it goes on polling in native code when there is no completion, in each turn of the event
   * loop, and again after the program has answered: up to 7 times if it answers at once, up to 16 times if it answers
   * from a promise. Nothing else runs meanwhile. No effect with `polling: 'event'`. 0 to 10000.
   * @default 20
   */
  readonly spinMicroseconds?: number | undefined
  /**
   * After so many milliseconds without anything from the peer, its device is asked for an answer. 0 never asks: then
   * the loss of a peer is not noticed while nothing is sent to it. 0 to 2^31 - 1. @default 5000
   */
  readonly keepAliveIntervalMs?: number | undefined
  /**
   * After so many milliseconds without that answer the connection ends with `ERR_NETTS_PEER_LOST`. 1 to 2^31 - 1.
   * @default 5000
   */
  readonly keepAliveTimeoutMs?: number | undefined
  /**
   * The class of the traffic that this end sends: the byte that the IP header calls ToS, or DSCP and ECN
   * (`RDMA_OPTION_ID_TOS`). RoCE networks with priority flow control or ECN map it to a priority. A listener's holds
   * for the connections that it accepts. 0 to 255. @default the system's
   */
  readonly trafficClass?: number | undefined
  /**
   * The IP address that `connect` connects from, which chooses the device when there are several. `listen` takes no
   * notice of it. `connect` rejects with `ERR_NETTS_CONNECT_FAILED` when no device has the address.
   * @default the kernel's choice, from its routes
   */
  readonly localAddress?: string | undefined
}

/** Options without a default: the system's choice holds. */
type Undecided = 'trafficClass' | 'localAddress'

/** The options `O` after their check: each has a value, but those for which the system decides may be `undefined`. */
export type Checked<O> = {
  readonly [K in keyof O]-?: NonNullable<O[K]> | (K extends Undecided ? undefined : never)
}

/** {@link RdmaOptions} after their check, see {@link Checked}. */
export type RdmaConfig = Checked<RdmaOptions>

/** The most sends, and the most receives for data, that may be under way. */
export const MOST_DEPTH = 16_384
const MOST_MS = 0x7fffffff

/**
 * Checks the options that all drivers have, and adds the defaults. The driver itself checks for unknown names.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for one of the wrong type or out of range
 */
export function checkRdmaOptions(options: RdmaOptions): RdmaConfig {
  const {
    sendDepth = 64,
    inlineThreshold = 0,
    polling = 'adaptive',
    adaptiveMicroseconds = 200,
    spinMicroseconds = 20,
    keepAliveIntervalMs = 5000,
    keepAliveTimeoutMs = 5000,
    trafficClass,
    localAddress,
  } = options
  return {
    sendDepth: checkInteger('sendDepth', sendDepth, 1, MOST_DEPTH),
    inlineThreshold: checkInteger('inlineThreshold', inlineThreshold, 0, 4096),
    polling: checkChoice('polling', polling, ['adaptive', 'busy', 'event']),
    adaptiveMicroseconds: checkInteger('adaptiveMicroseconds', adaptiveMicroseconds, 0, 1_000_000),
    spinMicroseconds: checkInteger('spinMicroseconds', spinMicroseconds, 0, 10_000),
    keepAliveIntervalMs: checkTimeout('keepAliveIntervalMs', keepAliveIntervalMs),
    keepAliveTimeoutMs: checkInteger('keepAliveTimeoutMs', keepAliveTimeoutMs, 1, MOST_MS),
    trafficClass: trafficClass === undefined ? undefined : checkInteger('trafficClass', trafficClass, 0, 255),
    localAddress: localAddress === undefined ? undefined : checkLocalAddress(localAddress),
  }
}

function checkLocalAddress(localAddress: string): string {
  if (typeof localAddress === 'string' && isIP(localAddress) !== 0) return localAddress
  throw invalidArgument(`localAddress must be an IP address, not ${JSON.stringify(localAddress)}`)
}
