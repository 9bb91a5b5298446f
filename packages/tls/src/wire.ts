/** The stream below TLS. */
import type { Transport } from '@netts/core'
import { createStream, type TransportStream } from '@netts/stream'

/**
 * How long a wire may take, after the end of TLS, to deliver its last bytes (an alert, for example), and how long it then
 * waits for the peer's end, in milliseconds. No bytes of the program are among them.
 */
const CLOSE_TIMEOUT_MS = 1000

/** Makes a stream of ciphertext over a transport. */
export function createWire(transport: Transport): TransportStream {
  return createStream(transport, { allowHalfOpen: true, closeTimeoutMs: CLOSE_TIMEOUT_MS })
}
