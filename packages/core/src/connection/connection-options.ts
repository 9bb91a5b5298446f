/** The options of a connection, with their defaults and ranges. */
import { checkBoolean, checkInteger, checkOptionNames, checkTimeout } from '../driver/options.js'
import type { ConnectionOptions } from './connection.js'
import { MAX_PAYLOAD_BYTES } from './framing.js'

/** The limits that apply to one connection. */
export type ConnectionLimits = {
  readonly [K in keyof ConnectionOptions]-?: NonNullable<ConnectionOptions[K]>
}

const DEFAULTS: ConnectionLimits = {
  maxMessageSize: 16 << 20,
  highWaterMark: 256 << 10,
  messageTimeoutMs: 30_000,
  stallTimeoutMs: 0,
  closeTimeoutMs: 5_000,
  allowHalfOpen: false,
}

/** The names of a connection's options. */
export const CONNECTION_OPTION_NAMES = Object.keys(DEFAULTS) as readonly (keyof ConnectionOptions)[]

/**
 * Checks the options of a connection, and fills in the defaults.
 * @param others names of further options that the same object may have
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown, of the wrong type or out of range
 */
export function checkConnectionOptions(
  options: ConnectionOptions,
  others: readonly string[] = [],
): ConnectionLimits {
  checkOptionNames('options', options, [...CONNECTION_OPTION_NAMES, ...others])
  const chosen = <K extends keyof ConnectionOptions>(name: K) => options[name] ?? DEFAULTS[name]
  return {
    maxMessageSize: checkInteger('maxMessageSize', chosen('maxMessageSize'), 0, MAX_PAYLOAD_BYTES),
    highWaterMark: checkInteger('highWaterMark', chosen('highWaterMark'), 0, Number.MAX_SAFE_INTEGER),
    messageTimeoutMs: checkTimeout('messageTimeoutMs', chosen('messageTimeoutMs')),
    stallTimeoutMs: checkTimeout('stallTimeoutMs', chosen('stallTimeoutMs')),
    closeTimeoutMs: checkTimeout('closeTimeoutMs', chosen('closeTimeoutMs')),
    allowHalfOpen: checkBoolean('allowHalfOpen', chosen('allowHalfOpen')),
  }
}
