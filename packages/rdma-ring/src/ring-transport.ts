/** What this driver's transports have in addition to the contract. */
import type { HostAddress, Transport } from '@netts/core'
import type { RingOptions } from './options.js'

/** A {@link Transport} over one-sided verbs. */
export interface RingTransport extends Transport {
  /** The address of this end's RDMA interface, and the connection's port there. */
  readonly localAddress: HostAddress
  /** The address of the peer's RDMA interface, and the connection's port there. */
  readonly remoteAddress: HostAddress
  /**
   * Registered memory that this transport holds now, in bytes: its ring, `send buffers × bufferSize`, 32 for each frame
   * that may be under way (`2 × sendDepth + 8` frames), and 16 for each receive. Buffers of {@link
   * Transport.bufferPool} are not included.
   */
  readonly pinnedBytes: number
  /**
   * Whether the peer writes this end's ring with the key of a memory window, which is good on this queue pair only. See
   * {@link RingOptions.memoryWindow}.
   */
  readonly memoryWindow: boolean
  /** How many frames without data, such as CREDIT, this end has sent: far fewer than frames with data. */
  readonly controlFramesSent: number
}
