/**
 * Completion channels and queues. These are the parts as verbs have them. The loop that polls, arms, polls once more
 * and sleeps is built on them once (`lib/endpoint/`), so that simulations test it with every interleaving.
 */

import type { DeviceAttributes } from './device-attributes.js'

/** Options of {@link Device.createCompletionChannel}. */
export interface CompletionChannelOptions {
  /** The interrupt vector of its queues, less than {@link DeviceAttributes.completionVectors}. @default 0 */
  readonly vector?: number
  /** The most completions that one {@link CompletionChannel.poll} takes, 1 to 4096. @default 64 */
  readonly batch?: number
}

/** Options of {@link CompletionChannel.createCompletionQueue}. */
export interface CompletionQueueOptions {
  /**
   * How many completions it can hold, 1 to {@link DeviceAttributes.maxCompletions}. One more than that overruns it,
   * which breaks every queue pair on it: give it at least the sum of their work requests.
   */
  readonly maxCompletions: number
  /** The most completions that one {@link CompletionQueue.poll} takes, 1 to 4096. @default 64 */
  readonly batch?: number
}

/**
 * Wakes the event loop when an armed queue gets a completion (`ibv_comp_channel`, with `uv_poll` on its descriptor).
 *
 * It can also take the completions of all its queues, in one call however many they are: {@link poll} looks at the
 * queues that are *awake*. A queue is awake from its creation until {@link arm} has armed it and found it empty, and
 * again once the event loop was told of its next completion. So a queue on which nothing happens costs nothing. Take the
 * completions of a queue in one way only: by its own methods, or by those of its channel.
 *
 * `poll`, `arm` and `createCompletionQueue` throw `ERR_NETTS_INVALID_STATE` once the channel is closed.
 */
export interface CompletionChannel extends Disposable {
  /**
   * Makes a queue whose notifications come through this channel (`ibv_create_cq`).
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  createCompletionQueue(options: CompletionQueueOptions): CompletionQueue
  /**
   * Where {@link poll} and {@link arm} put completions: records of `COMPLETION.words` words each, room for one batch.
   * Valid until the next of these calls.
   */
  readonly completions: Uint32Array
  /**
   * Takes completions of the queues that are awake, the oldest of each queue first, up to the batch size, into
   * {@link completions} (`ibv_poll_cq`).
   *
   * @param spinMicroseconds for so long it goes on asking in native code while there is none, 0 to 1000000. The event
   *   loop stands still meanwhile: give it no more than some tens. @default 0
   * @returns how many
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_VERBS` when there is none and a queue has failed: the
   *   `poll` of that queue throws too
   */
  poll(spinMicroseconds?: number): number
  /**
   * Arms the queues that are awake (`ibv_req_notify_cq`), and takes what is in them, since completions that came before
   * the arming cause no notification.
   *
   * @returns how many completions it took into {@link completions}. 0 says that all queues are armed and empty:
   *   {@link onNotify} is called after the next completion. Otherwise call it again after a `poll` that found none
   * @throws NettsError `ERR_NETTS_VERBS` when a queue has failed or cannot be armed, and no completion was taken; the
   *   other queues may still be awake
   */
  arm(): number
  /**
   * Called from the event loop once per wake, however many of the queues that {@link arm} armed have completions. These
   * queues are awake then. A wake that comes while this is `undefined` is lost: assign it before `arm`.
   */
  onNotify: (() => void) | undefined
  /**
   * Keeps the process alive while the channel is open. A new channel does not. Calls are not counted: one {@link unref}
   * undoes any number of them. No effect on a closed channel.
   */
  ref(): void
  /** Lets the process end although the channel is open. */
  unref(): void
  /** Closes it. Its queues stay usable, and keep the device's channel open until they are closed. Idempotent. */
  close(): void
}

/**
 * A completion queue (`ibv_cq`). `poll` and `arm` throw `ERR_NETTS_INVALID_STATE` once it is closed.
 *
 * To sleep until there is a completion: {@link poll}; when there is none, {@link arm}, then poll once more, and only
 * when there is still none wait for {@link onNotify}.
 */
export interface CompletionQueue extends Disposable {
  /** How many completions it can hold, as granted by the device: at least what was asked for. */
  readonly maxCompletions: number
  /**
   * Where {@link poll} puts completions: records of `COMPLETION.words` words each, room for one batch. Valid until the
   * next poll.
   */
  readonly completions: Uint32Array
  /**
   * Takes completions, the oldest first, up to the batch size, into {@link completions} (`ibv_poll_cq`).
   *
   * @param spinMicroseconds for so long it goes on asking in native code while there is none, 0 to 1000000. The event
   *   loop stands still meanwhile: give it no more than some tens. @default 0
   * @returns how many; 0 when the queue is empty
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_VERBS` when the queue has failed and is empty, such as
   *   after an overrun
   */
  poll(spinMicroseconds?: number): number
  /**
   * Asks for one notification (`ibv_req_notify_cq`): its own {@link onNotify} is called once after the next completion
   * is *added*. Completions that are in the queue already cause none: poll once more after arming.
   *
   * @param solicitedOnly only completions of messages sent `solicited`, and of errors, count. On iWARP all count.
   *   @default false
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  arm(solicitedOnly?: boolean): void
  /**
   * Called from the event loop once per wake. The queue is no longer armed then. It may be called although an earlier
   * poll took everything already. A wake that comes while this is `undefined` is lost: assign it before {@link arm}.
   */
  onNotify: (() => void) | undefined
  /** Closes it. Queue pairs on it keep the device's queue open until they are closed. Idempotent. */
  close(): void
}
