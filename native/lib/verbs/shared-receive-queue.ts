/** Shared receive queues: one supply of receives for many queue pairs. */

/** Options of {@link ProtectionDomain.createSharedReceiveQueue}. */
export interface SharedReceiveQueueOptions {
  /** Receives that can be posted at once. */
  readonly maxWorkRequests: number
  /** Entries of one receive. @default 1 */
  readonly maxEntries?: number
}

/** A shared receive queue (`ibv_srq`). */
export interface SharedReceiveQueue extends Disposable {
  /** As granted; at least what was asked for. */
  readonly maxWorkRequests: number
  readonly maxEntries: number
  /** Receive records, as {@link QueuePair.receiveRequests}; `maxWorkRequests` as asked for fit in. */
  readonly receiveRequests: Uint32Array
  /** Words of one record. */
  readonly receiveRecordWords: number
  /** As {@link QueuePair.postReceive}. */
  postReceive(count: number, first?: number): number
  /** One `srq-limit-reached` event comes when fewer receives than this are left; 0 disarms it. */
  setLimit(limit: number): void
  close(): void
}
