/**
 * What the handle of a socket knows and node:net does not report. The documentation of node:net has none of it, so each
 * property is checked before use, and there is a fallback if it is missing.
 */
import type { Socket } from 'node:net'

interface Handle {
  readonly writeQueueSize?: number
  readonly getpeername?: (out: object) => number
}

function handleOf(socket: Socket): Handle | undefined {
  return (socket as { _handle?: Handle | null })._handle ?? undefined
}

/**
 * How many of the bytes that are being written the kernel has not taken yet. node:net uses this number for its own
 * timeouts. Without it, only whole batches count as progress.
 */
export function unwrittenBytes(socket: Socket): number {
  return handleOf(socket)?.writeQueueSize ?? Number.POSITIVE_INFINITY
}

/**
 * Whether a socket that reported an end was reset. libuv reports the hang-up after a reset as an end if its last read had
 * read all there was (uv__stream_io). On Linux a socket that was reset has no peer any more, and one whose peer finished
 * has (getpeername(2); inet_getname in the kernel).
 */
export function isReset(socket: Socket): boolean {
  if (process.platform !== 'linux') return false
  const handle = handleOf(socket)
  return typeof handle?.getpeername === 'function' && handle.getpeername({}) !== 0
}
