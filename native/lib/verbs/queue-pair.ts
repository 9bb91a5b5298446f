/** Reliable connected queue pairs: made through a CM id, posted to in batches. */
import type { CompletionQueue } from './completion-queue.js'
import type { ProtectionDomain } from './protection-domain.js'
import type { SharedReceiveQueue } from './shared-receive-queue.js'

/**
 * Options of {@link CmId.createQueuePair}. The objects must be of the id's device; they stay open underneath until the
 * queue pair is closed.
 */
export interface QueuePairOptions {
  /** Where the regions and windows are that its work requests, and its peer, may name. */
  readonly protectionDomain: ProtectionDomain
  /** Where sends complete. */
  readonly sendCompletionQueue: CompletionQueue
  /** Where receives complete. @default sendCompletionQueue */
  readonly receiveCompletionQueue?: CompletionQueue
  /** Takes the place of the queue pair's own receive queue. @default none */
  readonly sharedReceiveQueue?: SharedReceiveQueue
  /**
   * Send work requests that may be outstanding, those that are not signalled included, 1 to
   * {@link DeviceAttributes.maxWorkRequests}.
   */
  readonly maxSendWorkRequests: number
  /**
   * Receives that may be outstanding, 0 to {@link DeviceAttributes.maxWorkRequests}. Leave it out with a shared receive
   * queue.
   * @default 0
   */
  readonly maxReceiveWorkRequests?: number
  /** Entries of one send, 1 to {@link DeviceAttributes.maxEntries}. @default 1 */
  readonly maxSendEntries?: number
  /** Entries of one receive, 1 to {@link DeviceAttributes.maxEntries}. @default 1 */
  readonly maxReceiveEntries?: number
  /**
   * Bytes that an inline send may have, 0 to 65536. Devices have a limit of their own, mostly some hundreds; they
   * refuse to make the queue pair when this is more.
   * @default 0
   */
  readonly maxInlineBytes?: number
}

/**
 * State of a queue pair (`enum ibv_qp_state`). Made through a CM id it begins as `init`: receives may be posted,
 * sends may not. Established it is `ready-to-send`. In `error`, everything outstanding and everything posted
 * afterwards completes as flushed.
 */
export type QueuePairState =
  | 'reset'
  | 'init'
  | 'ready-to-receive'
  | 'ready-to-send'
  | 'send-queue-drained'
  | 'send-queue-error'
  | 'error'

/** What a device says of a queue pair (`ibv_query_qp`), for diagnosis. iWARP devices leave most of it 0. */
export interface QueuePairAttributes {
  /** {@link QueuePair.state} */
  readonly state: QueuePairState
  /** The most bytes of a message in one packet; 0 before the connection. */
  readonly pathMtuBytes: number
  /** {@link QueuePair.number} of the peer. */
  readonly destinationQueuePairNumber: number
  /** {@link Port.number} of the port that it uses. */
  readonly portNumber: number
  /** {@link Gid.index} of the local address that it uses. */
  readonly gidIndex: number
  /** See {@link CmId.setTrafficClass}. */
  readonly trafficClass: number
  /** The exponent, see {@link CmId.setAckTimeout}. */
  readonly ackTimeout: number
  /** How often it repeats a packet without acknowledgement, see {@link ConnectionParameters.retryCount}. */
  readonly retryCount: number
  /** How often it repeats a Send that found no receive: the peer's {@link ConnectionParameters.rnrRetryCount}. */
  readonly rnrRetryCount: number
  /** The code, see {@link QueuePair.setMinRnrTimer}. */
  readonly minRnrTimer: number
  /** Reads and atomics from here that may be in progress. */
  readonly initiatorDepth: number
  /** Reads and atomics from the peer that may be in progress. */
  readonly responderResources: number
}

/**
 * A reliable connected queue pair (`ibv_qp`), made by {@link CmId.createQueuePair}. Its methods throw
 * `ERR_NETTS_INVALID_STATE` once it is closed.
 */
export interface QueuePair extends Disposable {
  /** The number that completions carry. The device may give it to another queue pair soon after `close`. */
  readonly number: number
  /** Sends that may be outstanding, as granted by the device: at least what was asked for. */
  readonly maxSendWorkRequests: number
  /** Receives that may be outstanding, as granted by the device: at least what was asked for. */
  readonly maxReceiveWorkRequests: number
  /** Entries of one send, as granted by the device: at least what was asked for. */
  readonly maxSendEntries: number
  /** Entries of one receive, as granted by the device: at least what was asked for. */
  readonly maxReceiveEntries: number
  /** Bytes of one inline send, as granted by the device: at least what was asked for. */
  readonly maxInlineBytes: number
  /**
   * Send records: `SEND.headerWords` words and then `maxSendEntries` (as asked for) entries of `ENTRY.words` words
   * each; as many records as `maxSendWorkRequests` (as asked for). Write them, then {@link postSend}; they may be
   * written again when that has returned.
   */
  readonly sendRequests: Uint32Array
  /** Words of one send record. */
  readonly sendRecordWords: number
  /** Receive records, in the same way; of length 0 with a shared receive queue. */
  readonly receiveRequests: Uint32Array
  /** Words of one receive record. */
  readonly receiveRecordWords: number
  /**
   * Posts `count` send records, in order, from record `first` on, in one native call (`ibv_post_send`). Unless a
   * request is inline, its memory belongs to the device until it, or a later signalled one, has completed.
   *
   * @param first @default 0
   * @returns how many were posted: fewer than `count` only when the send queue is full, and then the rest had no
   *   effect. A program that counts what is outstanding never sees that
   * @throws NettsError with nothing posted: `ERR_NETTS_INVALID_ARGUMENT` for records that do not exist, or a record
   *   that is malformed (opcode, flags, entry count, an unknown region, a range outside of it, inline data too long);
   *   `ERR_NETTS_UNSUPPORTED` for an opcode that the device lacks; `ERR_NETTS_INVALID_STATE` before the connection is
   *   established. `ERR_NETTS_VERBS` when the device refuses a record: the error's `posted` property says how many
   *   records before it were posted
   */
  postSend(count: number, first?: number): number
  /**
   * Posts `count` receive records, in order, from record `first` on, in one native call (`ibv_post_recv`). The memory
   * belongs to the device until the receive has completed. In the state `error` receives are flushed, by some devices
   * (Soft-RoCE) only after another {@link moveToError}.
   * @param first @default 0
   * @returns how many were posted: fewer than `count` only when the receive queue is full
   * @throws NettsError with nothing posted: `ERR_NETTS_INVALID_ARGUMENT` for records that do not exist, also with a
   *   shared receive queue, or that are malformed; `ERR_NETTS_VERBS` as {@link postSend}
   */
  postReceive(count: number, first?: number): number
  /** Asks the device (`ibv_query_qp`), which is slow. @throws NettsError `ERR_NETTS_VERBS` */
  readonly state: QueuePairState
  /** Asks the device for all attributes, which is slow. @throws NettsError `ERR_NETTS_VERBS` */
  attributes(): QueuePairAttributes
  /**
   * Moves it to the state `error`: everything outstanding completes, as `CompletionStatus.flushed`. May be called
   * again.
   * @throws NettsError `ERR_NETTS_VERBS`
   */
  moveToError(): void
  /**
   * Sets how long the peer has to wait before it repeats a Send for which no receive is posted here. Allowed once the
   * queue pair is `ready-to-send`. No effect on iWARP.
   * @param code 0 to 31, where 0 is 655 ms, 1 is 0.01 ms, 12 is 0.64 ms and 31 is 491 ms (InfiniBand Architecture
   *   Specification, table 45)
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  setMinRnrTimer(code: number): void
  /**
   * Destroys it (`ibv_destroy_qp`). What is outstanding gives no completions, and completions that were not polled yet
   * may be lost: move it to `error` and poll until everything was flushed first. Idempotent.
   */
  close(): void
}
