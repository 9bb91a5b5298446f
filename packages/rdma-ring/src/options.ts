/** The options of `ring()`, their defaults and their checks. */
import { checkChoice, checkInteger, checkObject, checkOptionNames, invalidArgument } from '@netts/core/driver'
import { type Checked, checkRdmaOptions, type RdmaOptions } from '@netts/verbs/endpoint'
import { HEADER_BYTES } from './protocol/frame.js'
import { isCapacity, LEAST_CAPACITY, MOST_CAPACITY } from './protocol/hello.js'

/** Options of {@link ring}. The two ends of a connection may have different ones. */
export interface RingOptions extends RdmaOptions {
  /**
   * Size of this end's ring in bytes, which the peer writes and this end reads in place: a power of two from 4096 to
   * 2^26. `recvWindow` is half of it; in it each chunk takes 16 bytes for its header.
   * @default 262144
   */
  readonly capacity?: number | undefined
  /**
   * Size in bytes of each buffer into which `sendCopy` copies, of which 16 are the frame's header. `maxSendSize` is
   * this less 16, but at most a quarter of the smaller of both ends' rings, less 16. 1040 to 2^24.
   * @default 16384
   */
  readonly bufferSize?: number | undefined
  /**
   * With which key the peer writes this end's ring: that of a memory window, which is good on this connection's queue
   * pair only, or that of the ring's region, which is good on every queue pair of the process over the same device.
   * - `auto`: that of a window if the device has windows of type 2, else that of the region.
   * - `require`: that of a window; if the device has none, connecting fails with `ERR_NETTS_UNSUPPORTED`.
   * - `never`: that of the region.
   *
   * If the device has windows but cannot make another one, because too many are in use, connecting fails.
   * @default 'auto'
   */
  readonly memoryWindow?: MemoryWindowUse | undefined
}

/** Whether the peer writes through a memory window, see {@link RingOptions.memoryWindow}. */
export type MemoryWindowUse = 'auto' | 'require' | 'never'

/** The options after their check: each has a value. */
export type RingConfig = Checked<RingOptions>

/** The least `maxSendSize` that the transport contract allows, in bytes. */
export const LEAST_SEND_SIZE = 1024
const MOST_BUFFER_SIZE = 2 ** 24

/**
 * Checks the options and adds the defaults.
 * @param others names of further options that are allowed, which the caller checks. @default none
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, and one of the wrong type or out of range
 */
export function checkOptions(options: RingOptions = {}, others: readonly string[] = []): RingConfig {
  checkObject('options', options)
  const { capacity = 262_144, bufferSize = 16_384, memoryWindow = 'auto' } = options
  if (!isCapacity(checkInteger('capacity', capacity, LEAST_CAPACITY, MOST_CAPACITY))) {
    throw invalidArgument(`capacity must be a power of two, not ${capacity}`)
  }
  const config = Object.freeze({
    capacity,
    bufferSize: checkInteger('bufferSize', bufferSize, LEAST_SEND_SIZE + HEADER_BYTES, MOST_BUFFER_SIZE),
    memoryWindow: checkChoice('memoryWindow', memoryWindow, ['auto', 'require', 'never']),
    ...checkRdmaOptions(options),
  })
  checkOptionNames('options', options, [...Object.keys(config), ...others])
  return config
}
