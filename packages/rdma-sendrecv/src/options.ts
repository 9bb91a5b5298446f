/** The options of `sendRecv()`, their defaults and their checks. */
import { checkChoice, checkInteger, checkObject, checkOptionNames, checkTimeout } from '@netts/core/driver'
import { LEAST_BUFFER_SIZE, MOST_BUFFER_SIZE } from './protocol/hello.js'

/** Options of {@link sendRecv}. The two ends of a connection may have different ones. */
export interface SendRecvOptions {
  /**
   * Frames of data that may be received and not released before the peer has to wait; `recvWindow` is this times
   * `maxSendSize`. 1 to 16384. @default 128
   */
  readonly recvDepth?: number | undefined
  /**
   * Receives for data that a connection begins with, and returns to when it is idle: the window is elastic between
   * this and {@link recvDepth}, and fixed when both are equal. 1 to `recvDepth`. @default 4, or `recvDepth` if less
   */
  readonly recvDepthInitial?: number | undefined
  /** Sends that may be under way at a time; further ones are refused until one is complete. 1 to 16384. @default 64 */
  readonly sendDepth?: number | undefined
  /**
   * Size of each receive and send buffer in bytes, of which 8 are the frame's header: `maxSendSize` is the smaller
   * of both ends' sizes, less 8. 1032 to 2^30. @default 16384
   */
  readonly bufferSize?: number | undefined
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
  readonly polling?: 'adaptive' | 'busy' | 'event' | undefined
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
}

/** Checked options, complete. */
export type SendRecvConfig = { readonly [K in keyof SendRecvOptions]-?: NonNullable<SendRecvOptions[K]> }

const MOST_DEPTH = 16_384
const MOST_MS = 0x7fffffff

/**
 * @param others names of options that are not of this driver itself
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, and one of the wrong type or out of range
 */
export function checkOptions(options: SendRecvOptions = {}, others: readonly string[] = []): SendRecvConfig {
  checkObject('options', options)
  const recvDepth = checkInteger('recvDepth', options.recvDepth ?? 128, 1, MOST_DEPTH)
  const {
    recvDepthInitial = Math.min(4, recvDepth),
    sendDepth = 64,
    bufferSize = 16_384,
    inlineThreshold = 0,
    polling = 'adaptive',
    adaptiveMicroseconds = 200,
    spinMicroseconds = 20,
    keepAliveIntervalMs = 5000,
    keepAliveTimeoutMs = 5000,
  } = options
  checkInteger('bufferSize', bufferSize, LEAST_BUFFER_SIZE, MOST_BUFFER_SIZE)
  const config = Object.freeze({
    recvDepth,
    recvDepthInitial: checkInteger('recvDepthInitial', recvDepthInitial, 1, recvDepth),
    sendDepth: checkInteger('sendDepth', sendDepth, 1, MOST_DEPTH),
    bufferSize,
    inlineThreshold: checkInteger('inlineThreshold', inlineThreshold, 0, 4096),
    polling: checkChoice('polling', polling, ['adaptive', 'busy', 'event']),
    adaptiveMicroseconds: checkInteger('adaptiveMicroseconds', adaptiveMicroseconds, 0, 1_000_000),
    spinMicroseconds: checkInteger('spinMicroseconds', spinMicroseconds, 0, 10_000),
    keepAliveIntervalMs: checkTimeout('keepAliveIntervalMs', keepAliveIntervalMs),
    keepAliveTimeoutMs: checkInteger('keepAliveTimeoutMs', keepAliveTimeoutMs, 1, MOST_MS),
  })
  checkOptionNames('options', options, [...Object.keys(config), ...others])
  return config
}
