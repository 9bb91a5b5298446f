/** What a device says of its limits. */

/** Limits and abilities of a device (`ibv_query_device`). */
export interface DeviceAttributes {
  /** Firmware version; may be empty. */
  readonly firmwareVersion: string
  readonly vendorId: number
  readonly vendorPartId: number
  readonly maxQueuePairs: number
  /** Work requests of one queue, of either direction. */
  readonly maxWorkRequests: number
  /** Entries of one work request. */
  readonly maxEntries: number
  readonly maxCompletionQueues: number
  /** Completions of one queue. */
  readonly maxCompletions: number
  /** Interrupt vectors that completion channels can choose from. */
  readonly completionVectors: number
  readonly maxMemoryRegions: number
  /** Bytes of one region; may be 2^64 - 1, which is reported as `Infinity`. */
  readonly maxRegionBytes: number
  readonly maxProtectionDomains: number
  /** Reads and atomics a queue pair may have in progress as their target. */
  readonly maxResponderResources: number
  /** Reads and atomics a queue pair may have in progress as their origin. */
  readonly maxInitiatorDepth: number
  /** 0 where there are no memory windows. */
  readonly maxMemoryWindows: number
  readonly maxSharedReceiveQueues: number
  readonly maxSharedReceiveWorkRequests: number
  readonly maxSharedReceiveEntries: number
}
