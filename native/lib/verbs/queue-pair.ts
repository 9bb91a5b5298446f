/** Reliable connected queue pairs: made through a CM id, posted to in batches. */
import type { CompletionQueue } from './completion-queue.js'
import type { ProtectionDomain } from './protection-domain.js'
import type { SharedReceiveQueue } from './shared-receive-queue.js'

/** Options of {@link CmId.createQueuePair}. */
export interface QueuePairOptions {
  readonly protectionDomain: ProtectionDomain
  readonly sendCompletionQueue: CompletionQueue
  /** @default sendCompletionQueue */
  readonly receiveCompletionQueue?: CompletionQueue
  /** Takes the place of the queue pair's own receive queue. */
  readonly sharedReceiveQueue?: SharedReceiveQueue
  /** Send work requests that may be outstanding, silent ones included. At least 1. */
  readonly maxSendWorkRequests: number
  /** Receives that may be outstanding; must be left out with a shared receive queue. @default 0 */
  readonly maxReceiveWorkRequests?: number
  /** Entries of one send. @default 1 */
  readonly maxSendEntries?: number
  /** Entries of one receive. @default 1 */
  readonly maxReceiveEntries?: number
  /** Bytes that must fit into an inline send. @default 0 */
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
  readonly state: QueuePairState
  /** 0 where there is none yet. */
  readonly pathMtuBytes: number
  /** The peer's queue pair. */
  readonly destinationQueuePairNumber: number
  readonly portNumber: number
  /** Its place in the table that {@link Device.gids} reads. */
  readonly gidIndex: number
  readonly trafficClass: number
  /** Of 4.096 µs × 2^n; 0 waits for ever. */
  readonly ackTimeout: number
  readonly retryCount: number
  readonly rnrRetryCount: number
  /** A code, see {@link QueuePair.setMinRnrTimer}. */
  readonly minRnrTimer: number
  /** Reads and atomics in progress, from here and from the peer. */
  readonly initiatorDepth: number
  readonly responderResources: number
}

/** A reliable connected queue pair (`ibv_qp`). */
export interface QueuePair extends Disposable {
  /** The number that completions carry. The device may give it to another queue pair soon after `close`. */
  readonly number: number
  /** As granted; at least what was asked for. */
  readonly maxSendWorkRequests: number
  readonly maxReceiveWorkRequests: number
  readonly maxSendEntries: number
  readonly maxReceiveEntries: number
  readonly maxInlineBytes: number
  /**
   * Send records: `SEND.headerWords` words and then `maxSendEntries` (as asked for) entries of `ENTRY.words`
   * words each; as many records as `maxSendWorkRequests` (as asked for). Write them, then {@link postSend}.
   * They are the program's again when it returned.
   */
  readonly sendRequests: Uint32Array
  /** Words of one send record. */
  readonly sendRecordWords: number
  /** Receive records, in the same way; of length 0 with a shared receive queue. */
  readonly receiveRequests: Uint32Array
  /** Words of one receive record. */
  readonly receiveRecordWords: number
  /**
   * Posts `count` send records, in order, from record `first` on. One native call.
   *
   * @param first @default 0
   * @returns how many were posted: fewer than `count` only when the send queue is full, in which case the rest
   *   had no effect. Programs that keep account of what is outstanding never see that.
   * @throws NettsError with nothing posted: `ERR_NETTS_INVALID_ARGUMENT` for a record that is malformed (opcode,
   *   flags, entry count, an unknown region, a range outside of it, inline data too long);
   *   `ERR_NETTS_UNSUPPORTED` for an opcode that the device lacks; `ERR_NETTS_INVALID_STATE` before the
   *   connection is established; `ERR_NETTS_VERBS` otherwise. Where the device itself found a fault in a later
   *   record, the error's `posted` property says how many went out before it.
   */
  postSend(count: number, first?: number): number
  /**
   * Posts `count` receive records. Allowed in every state but `reset`; in `error` they are flushed, by some devices
   * (Soft-RoCE) only after another {@link moveToError}.
   * @returns and throws as {@link postSend}
   */
  postReceive(count: number, first?: number): number
  /** Asks the device (`ibv_query_qp`); not for the hot path. */
  readonly state: QueuePairState
  /** Asks the device for everything that it says; not for the hot path. @throws NettsError `ERR_NETTS_VERBS` */
  attributes(): QueuePairAttributes
  /** Puts it into the error state: everything outstanding completes, as flushed. May be called again. */
  moveToError(): void
  /**
   * How long a sender is told to wait when no receive is posted here: a code from 0 to 31, where 0 is 655 ms,
   * 1 is 0.01 ms, 12 is 0.64 ms and 31 is 491 ms (InfiniBand specification, table 45). Allowed once it is
   * `ready-to-send`. Without effect on iWARP.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  setMinRnrTimer(code: number): void
  /**
   * Destroys it. Outstanding work requests vanish without completions, and completions that were not polled yet
   * may come or not: move it to `error` and drain it first.
   */
  close(): void
}
