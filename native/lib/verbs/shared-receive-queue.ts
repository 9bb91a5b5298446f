/** Shared receive queues: many queue pairs take their receives from one queue. */

/** Options of {@link ProtectionDomain.createSharedReceiveQueue}. */
export interface SharedReceiveQueueOptions {
  /** Receives that may be outstanding, 1 to {@link DeviceAttributes.maxSharedReceiveWorkRequests}. */
  readonly maxWorkRequests: number
  /** Entries of one receive, 1 to {@link DeviceAttributes.maxSharedReceiveEntries}. @default 1 */
  readonly maxEntries?: number
}

/** A shared receive queue (`ibv_srq`). Its methods throw `ERR_NETTS_INVALID_STATE` once it is closed. */
export interface SharedReceiveQueue extends Disposable {
  /** Receives that may be outstanding, as granted by the device: at least what was asked for. */
  readonly maxWorkRequests: number
  /** Entries of one receive, as granted by the device: at least what was asked for. */
  readonly maxEntries: number
  /**
   * Receive records: `RECEIVE.headerWords` words and then `maxEntries` (as asked for) entries of `ENTRY.words` words
   * each; as many records as `maxWorkRequests` (as asked for). Write them, then {@link postReceive}; they may be
   * written again when that has returned.
   */
  readonly receiveRequests: Uint32Array
  /** Words of one receive record. */
  readonly receiveRecordWords: number
  /**
   * Posts `count` receive records, in order, from record `first` on, in one native call (`ibv_post_srq_recv`). The
   * memory belongs to the device until the receive has completed, on the receive completion queue of whichever queue
   * pair took it.
   * @param first @default 0
   * @returns how many were posted: fewer than `count` only when the queue is full
   * @throws NettsError as {@link QueuePair.postReceive}
   */
  postReceive(count: number, first?: number): number
  /**
   * Asks for one `srq-limit-reached` event when fewer receives than `limit` are left (`ibv_modify_srq`).
   * @param limit 0 to `maxWorkRequests`; 0 asks for none
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  setLimit(limit: number): void
  /** Closes it. Queue pairs that use it keep the device's queue open until they are closed. Idempotent. */
  close(): void
}
