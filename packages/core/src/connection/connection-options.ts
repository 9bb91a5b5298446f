/** The limits of a connection: defaults and ranges. */
import { checkInteger, checkObject, checkTimeout } from '../driver/options.js'
import type { ConnectionOptions } from './connection.js'
import { MAX_PAYLOAD_BYTES } from './framing.js'

const DEFAULT_MAX_MESSAGE_BYTES = 16 << 20
const DEFAULT_HIGH_WATER_MARK_BYTES = 256 << 10
const DEFAULT_MESSAGE_TIMEOUT_MS = 30_000

/** The limits that apply to one connection. */
export interface ConnectionLimits {
  readonly maxMessageSize: number
  readonly highWaterMark: number
  readonly messageTimeoutMs: number
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option out of range */
export function checkConnectionOptions(options: ConnectionOptions): ConnectionLimits {
  const {
    maxMessageSize = DEFAULT_MAX_MESSAGE_BYTES,
    highWaterMark = DEFAULT_HIGH_WATER_MARK_BYTES,
    messageTimeoutMs = DEFAULT_MESSAGE_TIMEOUT_MS,
  } = checkObject('options', options)
  checkInteger('maxMessageSize', maxMessageSize, 0, MAX_PAYLOAD_BYTES)
  checkInteger('highWaterMark', highWaterMark, 0, Number.MAX_SAFE_INTEGER)
  checkTimeout('messageTimeoutMs', messageTimeoutMs)
  return { maxMessageSize, highWaterMark, messageTimeoutMs }
}
