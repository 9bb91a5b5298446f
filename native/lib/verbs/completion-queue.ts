/**
 * Completion channels and queues. These are the raw parts: the loop that spins, arms, polls once more and
 * sleeps is built on them once (`lib/endpoint/`), so that the simulation can put it to every interleaving.
 */

/** Options of {@link Device.createCompletionChannel}. */
export interface CompletionChannelOptions {
  /** The interrupt vector of its queues. @default 0 */
  readonly vector?: number
}

/** Options of {@link CompletionChannel.createCompletionQueue}. */
export interface CompletionQueueOptions {
  /**
   * How many completions it holds. One more than that overruns it, which breaks every queue pair on it: give it
   * at least the sum of their work requests.
   */
  readonly maxCompletions: number
  /** The most completions that one {@link CompletionQueue.poll} takes. @default 64 */
  readonly batch?: number
}

/** Wakes the event loop when an armed queue gets a completion (`ibv_comp_channel`, with `uv_poll` on its fd). */
export interface CompletionChannel extends Disposable {
  /** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS` */
  createCompletionQueue(options: CompletionQueueOptions): CompletionQueue
  /**
   * Keeps the process alive while it waits. Not counted; {@link unref} undoes it. Neither does anything once it is
   * closed. @default not
   */
  ref(): void
  unref(): void
  close(): void
}

/** A completion queue (`ibv_cq`). */
export interface CompletionQueue extends Disposable {
  /** As granted; at least what was asked for. */
  readonly maxCompletions: number
  /** Where {@link poll} puts completions: records of `COMPLETION.words` words. Overwritten by each poll. */
  readonly completions: Uint32Array
  /**
   * Takes completions, the oldest first, up to the batch size, into {@link completions}.
   *
   * @param spinMicroseconds when there is none, keep asking for so long, in native code. The event loop stands
   *   still meanwhile, so keep it short (50). @default 0
   * @returns how many; fewer than the batch size means that the queue was empty for a moment
   * @throws NettsError `ERR_NETTS_VERBS` when the queue has failed
   */
  poll(spinMicroseconds?: number): number
  /**
   * Asks for one notification: {@link onNotify} is called once after the next completion is *added*. One that
   * is there already gives none: after arming, poll once more before going to sleep.
   *
   * @param solicitedOnly only completions of messages sent `solicited`, and of errors, count. @default false
   * @throws NettsError `ERR_NETTS_VERBS`
   */
  arm(solicitedOnly?: boolean): void
  /**
   * Called from the event loop once per wake, after the channel's pending events were all taken (and
   * acknowledged, in batches). The queue is no longer armed then. A call may come although an earlier poll took
   * everything already. A wake that comes while this is `undefined` is lost: assign it before {@link arm}.
   */
  onNotify: (() => void) | undefined
  /** @throws nothing; queue pairs and shared receive queues on it keep it alive until they are closed. */
  close(): void
}
