/** What this driver's transports have in addition to the contract. */
import type { HostAddress, Transport } from '@netts/core'

/** A {@link Transport} over two-sided verbs. */
export interface SendRecvTransport extends Transport {
  /** The address of this end's RDMA interface, and the connection's port there. */
  readonly localAddress: HostAddress
  /** The address of the peer's RDMA interface, and the connection's port there. */
  readonly remoteAddress: HostAddress
  /**
   * Registered memory that this transport holds now, in bytes: `(receive buffers + send buffers) × bufferSize`, and
   * 16 for each send that may be under way (`sendDepth + 8`). With the default options that is from 164 992 to
   * 3 441 792. Buffers of {@link Transport.bufferPool} are not included.
   */
  readonly pinnedBytes: number
  /** How many frames without data, such as CREDIT, this end has sent: far fewer than frames with data. */
  readonly controlFramesSent: number
}
