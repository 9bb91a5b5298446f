/** The options of a stream, with their defaults and ranges. */
import { checkBoolean, checkInteger, checkOptionNames, checkTimeout } from '@netts/core/driver'

/** Options of a stream over a transport. */
export interface StreamOptions {
  /**
   * Whether the writable side stays open when the peer has ended. If `false`, the stream ends it then, as `net.Socket`
   * does. @default false
   */
  readonly allowHalfOpen?: boolean | undefined
  /**
   * How many received bytes are kept ready for the program, 1 to 2^30. It does not depend on the default of Node.js: with
   * less than 64 KiB, HTTP/2 can block itself, because it does not read while its write waits. @default 131072 (128 KiB)
   */
  readonly readableHighWaterMark?: number | undefined
  /** How many bytes may wait to be sent before `write` returns `false`, 1 to 2^30. @default 65536 (64 KiB) */
  readonly writableHighWaterMark?: number | undefined
  /**
   * How long bytes that were written may wait after the end while the peer takes none of them, and how long a destroyed
   * stream waits for the peer's end, in milliseconds. 0 disables both deadlines. @default 5000
   */
  readonly closeTimeoutMs?: number | undefined
  /**
   * How long the peer may take none of the bytes that are to be sent, in milliseconds. After that the stream is destroyed
   * with `ERR_NETTS_TIMEOUT`. 0 disables the deadline. @default 0
   */
  readonly stallTimeoutMs?: number | undefined
}

/** Checked options, with all defaults. */
export type StreamConfig = { readonly [K in keyof StreamOptions]-?: NonNullable<StreamOptions[K]> }

const DEFAULTS: StreamConfig = {
  allowHalfOpen: false,
  readableHighWaterMark: 128 << 10,
  writableHighWaterMark: 64 << 10,
  closeTimeoutMs: 5_000,
  stallTimeoutMs: 0,
}

const MOST_BYTES = 2 ** 30

/**
 * Checks the options of a stream and fills in the defaults.
 * @param others names of further options that the same object may have
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown or out of range
 */
export function checkStreamOptions(options: StreamOptions, others: readonly string[] = []): StreamConfig {
  checkOptionNames('options', options, [...Object.keys(DEFAULTS), ...others])
  const chosen = <K extends keyof StreamConfig>(name: K) => options[name] ?? DEFAULTS[name]
  const bytes = (name: 'readableHighWaterMark' | 'writableHighWaterMark') =>
    checkInteger(name, chosen(name), 1, MOST_BYTES)
  return {
    allowHalfOpen: checkBoolean('allowHalfOpen', chosen('allowHalfOpen')),
    readableHighWaterMark: bytes('readableHighWaterMark'),
    writableHighWaterMark: bytes('writableHighWaterMark'),
    closeTimeoutMs: checkTimeout('closeTimeoutMs', chosen('closeTimeoutMs')),
    stallTimeoutMs: checkTimeout('stallTimeoutMs', chosen('stallTimeoutMs')),
  }
}
