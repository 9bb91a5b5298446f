/** The options that all drivers over RDMA have, their defaults and their checks. */
import { isIP } from 'node:net'
import { checkChoice, checkInteger, checkTimeout, invalidArgument } from '@netts/core/driver'
import type { Polling } from '../endpoint/completion-loop.js'

/** Options of every driver over RDMA. The two ends of a connection may have different ones. */
export interface RdmaOptions {
  /** Sends that may be under way at a time; further ones are refused until one is complete. 1 to 16384. @default 64 */
  readonly sendDepth?: number | undefined
  /**
   * Frames (with their header) up to so many bytes are handed to the device with the request itself, which saves it
   * a read of memory. Devices have a limit: where it is lower than this, connecting fails. 0 never does so.
   * 0 to 4096. @default 0
   */
  readonly inlineThreshold?: number | undefined
  /**
   * How to wait for completions: `event` sleeps at once, with the least CPU; `busy` asks all the time, with the
   * least latency and a whole core; `adaptive` asks for a while after activity, and then sleeps.
   * @default 'adaptive'
   */
  readonly polling?: Polling | undefined
  /** With `adaptive`: for how long after the last completion to go on asking. 0 to 1000000. @default 200 */
  readonly adaptiveMicroseconds?: number | undefined
  /**
   * For how long to go on asking in native code when nothing is there, in each turn of the event loop, and again after
   * what the program answered: up to seven times at once, and up to 16 times from a promise. Nothing else runs
   * meanwhile. 0 to 10000.
   * @default 20
   */
  readonly spinMicroseconds?: number | undefined
  /**
   * After so long without a sign of life, the peer's device is asked for one, in milliseconds. 0 never asks: then
   * nothing tells of a silent peer's death while nothing is sent to it. 0 to 2^31 - 1. @default 5000
   */
  readonly keepAliveIntervalMs?: number | undefined
  /** Without an answer for so long the peer is lost, in milliseconds. 1 to 2^31 - 1. @default 5000 */
  readonly keepAliveTimeoutMs?: number | undefined
  /**
   * The class of traffic that this end sends: the byte that the IP header calls ToS, DSCP and ECN bits
   * (`RDMA_OPTION_ID_TOS`). RoCE networks that rely on priority flow control or ECN map it to a priority. A listener's
   * holds for what it accepts. 0 to 255. @default what the system has
   */
  readonly trafficClass?: number | undefined
  /**
   * The IP address that `connect` leaves from, which chooses the device where there are several; `listen` has an address
   * of its own. `connect` rejects with `ERR_NETTS_CONNECT_FAILED` where no device has it.
   * @default what the routes to the peer say
   */
  readonly localAddress?: string | undefined
}

/** Options without a default: the system decides. */
type Undecided = 'trafficClass' | 'localAddress'

/** An interface of options, checked and complete. */
export type Checked<O> = {
  readonly [K in keyof O]-?: NonNullable<O[K]> | (K extends Undecided ? undefined : never)
}

/** {@link RdmaOptions}, checked and complete. */
export type RdmaConfig = Checked<RdmaOptions>

/** The most sends and receives for data that may be under way. */
export const MOST_DEPTH = 16_384
const MOST_MS = 0x7fffffff

/**
 * Checks the options that all drivers have; the names of all are the driver's to check.
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
