/** The options of `tcp()`, with their defaults and checks. */
import { type BufferPool, createBufferPool } from '@netts/core'
import { checkBoolean, checkInteger, checkOptionNames, invalidArgument } from '@netts/core/driver'

/** Options of {@link tcp}. */
export interface TcpOptions {
  /**
   * The most bytes that one send can take, 1024 to 2^30. A `Connection` splits larger messages.
   * @default 65600 (64 KiB + 64, the size of a buffer of the default pool)
   */
  readonly maxSendSize?: number | undefined
  /**
   * How many send buffers may wait for the kernel before sends are refused, 1 to 65536. They are blocks of 64 KiB, which
   * `sendCopy` and `sendGather` fill one after the other, and buffers given to `sendBuffer`. An idle connection holds none.
   * @default 32
   */
  readonly sendDepth?: number | undefined
  /**
   * How many received bytes are held for the reader before the peer has to wait, 1024 to 2^30. The socket reads up to
   * 64 KiB at a time, so that the last chunk may exceed the window. @default 1048576 (1 MiB)
   */
  readonly recvWindow?: number | undefined
  /** Whether to probe an idle peer, to notice a host that is gone (SO_KEEPALIVE, socket(7)). @default true */
  readonly keepAlive?: boolean | undefined
  /**
   * How long a connection is idle before the first probe, in milliseconds, 1000 to 32767000, rounded down to seconds
   * (TCP_KEEPIDLE, tcp(7)). Node.js then sends a probe each second; after ten without an answer the connection fails with
   * `ERR_NETTS_PEER_LOST`. @default 30000
   */
  readonly keepAliveDelayMs?: number | undefined
  /**
   * How many connections a listener may have open at the same time, those that wait for `accept` included; at least 1.
   * Further ones are reset; over a Unix domain socket they are closed. @default no limit
   */
  readonly maxConnections?: number | undefined
  /** The pool of the buffers for `sendBuffer`. @default a pool of host memory for each call of {@link tcp} */
  readonly bufferPool?: BufferPool | undefined
}

/** Checked options, with all defaults. */
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

/**
 * Checks the options and fills in the defaults.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown, of the wrong type or out of range
 */
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
