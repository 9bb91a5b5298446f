/** The options of `sendRecv()`, their defaults and their checks. */
import { checkInteger, checkObject, checkOptionNames } from '@netts/core/driver'
import { type Checked, checkRdmaOptions, MOST_DEPTH, type RdmaOptions } from '@netts/verbs/endpoint'
import { LEAST_BUFFER_SIZE, MOST_BUFFER_SIZE } from './protocol/hello.js'

/** Options of {@link sendRecv}. The two ends of a connection may have different ones. */
export interface SendRecvOptions extends RdmaOptions {
  /**
   * How many frames of data may be received and not released before the peer has to wait. `recvWindow` is this times
   * `maxSendSize`. 1 to 16384.
   * @default 128
   */
  readonly recvDepth?: number | undefined
  /**
   * With how many receives for data a connection begins, and to how many it returns when it is idle: their number
   * changes between this and {@link recvDepth}, and is fixed when both are equal. 1 to `recvDepth`.
   * @default 4, or `recvDepth` if that is less
   */
  readonly recvDepthInitial?: number | undefined
  /**
   * Size in bytes of each receive buffer and send buffer, of which 8 are the frame's header. `maxSendSize` is the
   * smaller of both ends' sizes, less 8. 1032 to 2^30.
   * @default 16384
   */
  readonly bufferSize?: number | undefined
}

/** The options after their check: each has a value. */
export type SendRecvConfig = Checked<SendRecvOptions>

/**
 * Checks the options and adds the defaults.
 * @param others names of further options that are allowed, which the caller checks. @default none
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, and one of the wrong type or out of range
 */
export function checkOptions(options: SendRecvOptions = {}, others: readonly string[] = []): SendRecvConfig {
  checkObject('options', options)
  const recvDepth = checkInteger('recvDepth', options.recvDepth ?? 128, 1, MOST_DEPTH)
  const { recvDepthInitial = Math.min(4, recvDepth), bufferSize = 16_384 } = options
  const config = Object.freeze({
    recvDepth,
    recvDepthInitial: checkInteger('recvDepthInitial', recvDepthInitial, 1, recvDepth),
    bufferSize: checkInteger('bufferSize', bufferSize, LEAST_BUFFER_SIZE, MOST_BUFFER_SIZE),
    ...checkRdmaOptions(options),
  })
  checkOptionNames('options', options, [...Object.keys(config), ...others])
  return config
}
