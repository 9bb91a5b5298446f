/** What this driver's transports have beside the contract. */
import type { HostAddress, Transport } from '@netts/core'

/** A {@link Transport} over two-sided verbs. */
export interface SendRecvTransport extends Transport {
  readonly localAddress: HostAddress
  readonly remoteAddress: HostAddress
  /**
   * Registered memory that this transport holds now, in bytes: `(receive buffers + send buffers) × bufferSize`, and
   * 16 for each send that may be under way (`sendDepth + 8`). With the default options that is from 164 992 to
   * 3 441 792. Buffers of {@link Transport.bufferPool} are not in it.
   */
  readonly pinnedBytes: number
  /** Frames without data that this end has sent, such as credits: far fewer than those with data. */
  readonly controlFramesSent: number
}
