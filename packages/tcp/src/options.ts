/** The options of `tcp()`, their defaults and their checks. */
import { type BufferPool, createBufferPool } from '@netts/core'
import { checkBoolean, checkInteger, checkOptionNames, invalidArgument } from '@netts/core/driver'

/** Options of {@link tcp}. */
export interface TcpOptions {
  /**
   * The most bytes that one send can take. 1024 to 2^30.
   * @default 65600 (64 KiB + 64, as the default pool has them)
   */
  readonly maxSendSize?: number | undefined
  /**
   * How many send buffers may wait for the kernel to take them before sends are refused: blocks of 64 KiB that
   * `sendCopy` and `sendGather` fill one after the other, and buffers given to `sendBuffer`. An idle connection
   * holds none. 1 to 65536. @default 32
   */
  readonly sendDepth?: number | undefined
  /**
   * How many received bytes are held for the reader before the peer has to wait. Reading goes on a whole chunk
   * (up to 64 KiB) at a time, and one that was under way still comes, so a little more can arrive.
   * 1024 to 2^30. @default 1048576 (1 MiB)
   */
  readonly recvWindow?: number | undefined
  /** Probe an idle peer, so that one that is gone is noticed (SO_KEEPALIVE). @default true */
  readonly keepAlive?: boolean | undefined
  /**
   * How long a connection is idle before the first probe, in milliseconds, rounded down to whole seconds.
   * Node.js then probes each second, and gives up after ten. 1000 to 32767000. @default 30000
   */
  readonly keepAliveDelayMs?: number | undefined
  /**
   * How many connections a listener may have open at a time, the waiting ones included; further ones are reset.
   * At least 1. @default no limit
   */
  readonly maxConnections?: number | undefined
  /** Where buffers for `sendBuffer` come from. @default one pool of plain memory for each call of {@link tcp} */
  readonly bufferPool?: BufferPool | undefined
}

/** Checked options, complete. */
export interface TcpConfig {
  readonly maxSendSize: number
  readonly sendDepth: number
  readonly recvWindow: number
  readonly keepAlive: boolean
  readonly keepAliveDelayMs: number
  readonly maxConnections: number
  /** Made on first use. */
  readonly bufferPool: BufferPool
}

const GIBIBYTE = 2 ** 30

const OPTION_NAMES: readonly (keyof TcpOptions)[] = [
  'maxSendSize',
  'sendDepth',
  'recvWindow',
  'keepAlive',
  'keepAliveDelayMs',
  'maxConnections',
  'bufferPool',
]

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option of the wrong type or out of range */
export function checkOptions(options: TcpOptions = {}): TcpConfig {
  const {
    maxSendSize = 64 * 1024 + 64,
    sendDepth = 32,
    recvWindow = 1024 * 1024,
    keepAlive = true,
    keepAliveDelayMs = 30_000,
    maxConnections,
    bufferPool,
  } = checkOptionNames('options', options, OPTION_NAMES)
  if (bufferPool !== undefined && typeof bufferPool?.domain !== 'symbol') {
    throw invalidArgument('bufferPool must be a BufferPool')
  }
  let pool: BufferPool | undefined = bufferPool
  return Object.freeze({
    maxSendSize: checkInteger('maxSendSize', maxSendSize, 1024, GIBIBYTE),
    sendDepth: checkInteger('sendDepth', sendDepth, 1, 65_536),
    recvWindow: checkInteger('recvWindow', recvWindow, 1024, GIBIBYTE),
    keepAlive: checkBoolean('keepAlive', keepAlive),
    // TCP_KEEPIDLE is at most 32767 seconds (MAX_TCP_KEEPIDLE in Linux, include/net/tcp.h).
    keepAliveDelayMs: checkInteger('keepAliveDelayMs', keepAliveDelayMs, 1000, 32_767_000),
    maxConnections:
      maxConnections === undefined
        ? Number.POSITIVE_INFINITY
        : checkInteger('maxConnections', maxConnections, 1, Number.MAX_SAFE_INTEGER),
    get bufferPool(): BufferPool {
      pool ??= createBufferPool()
      return pool
    },
  })
}
