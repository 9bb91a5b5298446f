/** The limits of a transport over a Duplex: options, defaults and checks. */
import { type BufferPool, createBufferPool } from '@netts/core'
import { checkInteger, invalidArgument } from '@netts/core/driver'

/** Options that limit the memory of a transport over a Duplex. */
export interface DuplexLimits {
  /**
   * The most bytes that one send can take, 1024 to 2^30.
   * @default 65600 (64 KiB + 64, the largest buffer of the default pool)
   */
  readonly maxSendSize?: number | undefined
  /** How many sends may wait for the Duplex before further ones are refused, 1 to 65536. @default 32 */
  readonly sendDepth?: number | undefined
  /**
   * How many received bytes are held for the reader before the Duplex, and so the peer, has to wait; 1024 to 2^30. The
   * chunk that fills the window may exceed it, and the buffers of the Duplex itself are not counted.
   * @default 1048576 (1 MiB)
   */
  readonly recvWindow?: number | undefined
  /** The pool of the buffers for `sendBuffer`. @default a pool of host memory, made on first use */
  readonly bufferPool?: BufferPool | undefined
}

/** Checked {@link DuplexLimits}, with all defaults. */
export interface DuplexConfig {
  /** The most bytes that one send can take. */
  readonly maxSendSize: number
  /** How many sends may wait for the Duplex. */
  readonly sendDepth: number
  /** How many received bytes are held for the reader. */
  readonly recvWindow: number
  /** The pool of the buffers for `sendBuffer`. The default one is made on first use. */
  readonly bufferPool: BufferPool
}

const GIBIBYTE = 2 ** 30

/** The names of the options of {@link DuplexLimits}, for `checkOptionNames` of `@netts/core/driver`. */
export const DUPLEX_LIMIT_NAMES: readonly (keyof DuplexLimits)[] = [
  'maxSendSize',
  'sendDepth',
  'recvWindow',
  'bufferPool',
]

/**
 * Checks the limits and fills in the defaults. Other properties of the object are ignored.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a limit of the wrong type or out of range
 */
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
