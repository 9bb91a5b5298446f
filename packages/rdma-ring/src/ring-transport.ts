/** What this driver's transports have beside the contract. */
import type { HostAddress, Transport } from '@netts/core'
import type { RingOptions } from './options.js'

/** A {@link Transport} over one-sided verbs. */
export interface RingTransport extends Transport {
  readonly localAddress: HostAddress
  readonly remoteAddress: HostAddress
  /**
   * Registered memory that this transport holds now, in bytes: its ring, `send buffers × bufferSize`, 32 for each frame
   * that may be under way (`2 × sendDepth + 8`), and 16 for each receive. Buffers of {@link Transport.bufferPool} are not
   * in it.
   */
  readonly pinnedBytes: number
  /**
   * Whether the peer writes this end's ring through a memory window, whose key is of no use on another queue pair. See
   * {@link RingOptions.memoryWindow}.
   */
  readonly memoryWindow: boolean
  /** Frames without data that this end has sent, such as credits: far fewer than those with data. */
  readonly controlFramesSent: number
}
