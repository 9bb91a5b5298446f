/**
 * What a socket's handle knows and node:net does not tell. None of it is in the documentation of node:net, so each is
 * looked at before it is used, and does without where it is missing.
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
 * What the kernel has not taken yet of what is being written; node:net uses it for timeouts of its own. Without it, only
 * whole batches count as progress.
 */
export function unwrittenBytes(socket: Socket): number {
  return handleOf(socket)?.writeQueueSize ?? Number.POSITIVE_INFINITY
}

/**
 * Whether a socket that has read its end was reset in truth. libuv takes the hang-up that follows a reset for an end when
 * its last read had come to the end of what was there (uv__stream_io); but in Linux a socket that was reset has no peer
 * any more, and one that the peer only finished has (inet_getname).
 */
export function isReset(socket: Socket): boolean {
  if (process.platform !== 'linux') return false
  const handle = handleOf(socket)
  return typeof handle?.getpeername === 'function' && handle.getpeername({}) !== 0
}
