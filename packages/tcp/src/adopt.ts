/** Receive memory of our own for the sockets of a server; node:net offers this only to sockets of clients (`onread`). */
import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net'
import type { ReadBuffers } from './read-buffers.js'

/** The handle of a socket. The documentation of node:net does not have it, so it is checked before use. */
interface Wrapping {
  _handle?: { useUserBuffer?: unknown } | null
}

/**
 * Moves an accepted connection into a socket that reads into `reads`. Receiving then takes half the processor time
 * (messages of 1 MiB: 236 instead of 440 µs each, on one machine).
 *
 * @param socket paused, with nothing read from it yet; unusable after a success
 * @returns `undefined`, with `socket` unchanged, when this version of Node.js does not support it
 */
export function adopt(socket: Socket, reads: ReadBuffers): Socket | undefined {
  const wrapping = socket as Wrapping
  const handle = wrapping._handle
  if (typeof handle?.useUserBuffer !== 'function') return undefined
  wrapping._handle = null
  socket.destroy()
  const options: SocketConstructorOpts & ConnectOpts & { handle: unknown; pauseOnCreate: boolean } = {
    handle,
    pauseOnCreate: true,
    allowHalfOpen: true,
    onread: reads.onread,
  }
  return new Socket(options)
}
