/** What bounds a transport over a Duplex: options, their defaults and their checks. */
import { type BufferPool, createBufferPool } from '@netts/core'
import { checkInteger, invalidArgument } from '@netts/core/driver'

/** Options that bound what a transport over a Duplex holds. */
export interface DuplexLimits {
  /**
   * The most bytes that one send can take. 1024 to 2^30.
   * @default 65600 (64 KiB + 64, as the default pool has them)
   */
  readonly maxSendSize?: number | undefined
  /** How many sends may wait for the Duplex to take them before further ones are refused. 1 to 65536. @default 32 */
  readonly sendDepth?: number | undefined
  /**
   * How many received bytes are held for the reader before the Duplex is paused, and with it the peer. The chunk that
   * fills the window may go beyond it, and what the Duplex itself buffers comes on top. 1024 to 2^30.
   * @default 1048576 (1 MiB)
   */
  readonly recvWindow?: number | undefined
  /** Where buffers for `sendBuffer` come from. @default a pool of plain memory of its own */
  readonly bufferPool?: BufferPool | undefined
}

/** Checked limits, complete. */
export interface DuplexConfig {
  readonly maxSendSize: number
  readonly sendDepth: number
  readonly recvWindow: number
  /** Made on first use. */
  readonly bufferPool: BufferPool
}

const GIBIBYTE = 2 ** 30

/** What the limits are called. */
export const DUPLEX_LIMIT_NAMES: readonly (keyof DuplexLimits)[] = [
  'maxSendSize',
  'sendDepth',
  'recvWindow',
  'bufferPool',
]

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a limit of the wrong type or out of range */
export function checkDuplexLimits(options: DuplexLimits): DuplexConfig {
  const { maxSendSize = 64 * 1024 + 64, sendDepth = 32, recvWindow = 1024 * 1024, bufferPool } = options
  if (bufferPool !== undefined && typeof bufferPool?.domain !== 'symbol') {
    throw invalidArgument('bufferPool must be a BufferPool')
  }
  let pool: BufferPool | undefined = bufferPool
  return Object.freeze({
    maxSendSize: checkInteger('maxSendSize', maxSendSize, 1024, GIBIBYTE),
    sendDepth: checkInteger('sendDepth', sendDepth, 1, 65_536),
    recvWindow: checkInteger('recvWindow', recvWindow, 1024, GIBIBYTE),
    get bufferPool(): BufferPool {
      pool ??= createBufferPool()
      return pool
    },
  })
}
