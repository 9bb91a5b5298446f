/** What a device says of its limits. */

/**
 * Limits of a device (`ibv_query_device(3)`). They are upper bounds: the device may refuse less, for want of memory or
 * because others use it too.
 */
export interface DeviceAttributes {
  /** Firmware version; may be empty. */
  readonly firmwareVersion: string
  /** The vendor's number, an IEEE OUI for adapters. */
  readonly vendorId: number
  /** The vendor's number for the model. */
  readonly vendorPartId: number
  /** Queue pairs of the device. */
  readonly maxQueuePairs: number
  /** Work requests of one send queue, or of one receive queue. */
  readonly maxWorkRequests: number
  /** Entries of one work request. */
  readonly maxEntries: number
  /** Completion queues of the device. */
  readonly maxCompletionQueues: number
  /** Completions of one queue. */
  readonly maxCompletions: number
  /** Interrupt vectors that completion channels can choose from. */
  readonly completionVectors: number
  /** Memory regions of the device. */
  readonly maxMemoryRegions: number
  /** Bytes of one region; `Infinity` where the device says 2^64 - 1. */
  readonly maxRegionBytes: number
  /** Protection domains of the device. */
  readonly maxProtectionDomains: number
  /** Reads and atomics that a queue pair may have in progress as their target. */
  readonly maxResponderResources: number
  /** Reads and atomics that a queue pair may have in progress as their origin. */
  readonly maxInitiatorDepth: number
  /** Memory windows of the device; 0 where it has none. */
  readonly maxMemoryWindows: number
  /** Shared receive queues of the device; 0 where it has none. */
  readonly maxSharedReceiveQueues: number
  /** Receives of one shared receive queue. */
  readonly maxSharedReceiveWorkRequests: number
  /** Entries of one receive in a shared receive queue. */
  readonly maxSharedReceiveEntries: number
}
