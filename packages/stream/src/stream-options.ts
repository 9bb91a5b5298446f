/** The options of a stream: defaults and ranges. */
import { checkBoolean, checkInteger, checkOptionNames, checkTimeout } from '@netts/core/driver'

/** Options of a stream over a transport. */
export interface StreamOptions {
  /**
   * Whether the writable side stays open when the peer has ended; else it is ended by itself, as with `node:net`.
   * @default false
   */
  readonly allowHalfOpen?: boolean | undefined
  /**
   * How many received bytes are kept ready ahead of the program, whatever Node.js's default: with less than 64 KiB,
   * HTTP/2 can block itself, since it does not read while its write waits. 1 to 2^30. @default 131072
   */
  readonly readableHighWaterMark?: number | undefined
  /** From how many bytes on that wait to leave `write` returns `false`. 1 to 2^30. @default 65536 */
  readonly writableHighWaterMark?: number | undefined
  /**
   * How long what was written may wait after the end without the peer taking any of it, in milliseconds; 0 for ever.
   * @default 5000
   */
  readonly closeTimeoutMs?: number | undefined
  /**
   * How long the peer may take nothing of what is to be sent, in milliseconds: then the stream is destroyed with
   * `ERR_NETTS_TIMEOUT`. 0 for ever. @default 0
   */
  readonly stallTimeoutMs?: number | undefined
}

/** Checked options, complete. */
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
 * @param others names of further options that the same object has
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, or one out of range
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
