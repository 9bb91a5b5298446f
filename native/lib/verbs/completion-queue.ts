/**
 * Completion channels and queues. These are the raw parts: the loop that spins, arms, polls once more and
 * sleeps is built on them once (`lib/endpoint/`), so that the simulation can put it to every interleaving.
 */

import type { DeviceAttributes } from './device-attributes.js'

/** Options of {@link Device.createCompletionChannel}. */
export interface CompletionChannelOptions {
  /** The interrupt vector of its queues, less than {@link DeviceAttributes.completionVectors}. @default 0 */
  readonly vector?: number
  /** The most completions that one {@link CompletionChannel.poll} takes. @default 64 */
  readonly batch?: number
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

/**
 * Wakes the event loop when an armed queue gets a completion (`ibv_comp_channel`, with `uv_poll` on its fd).
 *
 * It can also take the completions of all its queues, in one call however many they are: {@link poll} looks at the
 * queues that are *awake*. A queue is, from its creation, until {@link arm} armed it and found it empty, and again once
 * the event loop was told of its next completion. So queues on which nothing happens cost nothing. Take the completions of a queue in one way or
 * the other: by its own methods, or by those of its channel.
 */
export interface CompletionChannel extends Disposable {
  /** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS` */
  createCompletionQueue(options: CompletionQueueOptions): CompletionQueue
  /** Where {@link poll} and {@link arm} put completions: records of `COMPLETION.words` words. Overwritten by each. */
  readonly completions: Uint32Array
  /**
   * Takes completions of the queues that are awake, the oldest of each first, up to the batch size, into
   * {@link completions}.
   *
   * @param spinMicroseconds when there is none, keep asking for so long, in native code. The event loop stands
   *   still meanwhile, so keep it short (50). @default 0
   * @returns how many
   * @throws NettsError `ERR_NETTS_VERBS` when there is none and a queue has failed: which one, its own `poll` tells
   */
  poll(spinMicroseconds?: number): number
  /**
   * Arms the queues that are awake, and looks once more into each, since what came before causes no notification.
   *
   * @returns how many completions it found, as {@link poll}. 0: all queues sleep, and {@link onNotify} is called after
   *   the next completion
   * @throws NettsError `ERR_NETTS_VERBS` when a queue has failed, or cannot be armed; the others may be awake still
   */
  arm(): number
  /**
   * Called from the event loop once per wake, however many queues that {@link arm} armed have something. They are awake
   * then. A wake that comes while this is `undefined` is lost: assign it before `arm`.
   */
  onNotify: (() => void) | undefined
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
   * Asks for one notification: its own {@link onNotify} is called once after the next completion is *added*. One that
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
