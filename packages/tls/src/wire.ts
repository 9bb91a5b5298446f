/** The stream below TLS. */
import type { Transport } from '@netts/core'
import { createStream, type TransportStream } from '@netts/stream'

/**
 * How long a wire whose TLS is over may take to deliver its last bytes, such as an alert, and then waits for the peer's
 * end: nothing of the program's is among them.
 */
const CLOSE_TIMEOUT_MS = 1000

/** Makes a stream of ciphertext over a transport. */
export function createWire(transport: Transport): TransportStream {
  return createStream(transport, { allowHalfOpen: true, closeTimeoutMs: CLOSE_TIMEOUT_MS })
}
