/**
 * Decides when to take completions from the queues of one device: how long to poll, and when to sleep.
 *
 * States: *idle* (no connection), *sleeping* (armed; the channel wakes it) and *polling* (comes round in every turn
 * of the event loop). After activity it polls for a while before it arms, polls once more, and sleeps: what arrives
 * between the last poll and the arming causes no notification. A turn's work is bounded.
 *
 * Programs that answer from a promise do so behind the turn. While it polls, the turn then continues there, since the
 * next one would come a whole turn of the event loop later.
 */
import { pid } from 'node:process'
import { threadId } from 'node:worker_threads'
import { nextTick } from '@netts/core/driver'
import type { CompletionChannel, CompletionQueue } from '../verbs/completion-queue.js'
import type { Device } from '../verbs/device.js'
import type { Clock, ClockTimer } from '../verbs/verbs.js'
import { CompletionDispatch, type CompletionSink } from './completion-dispatch.js'
import { CompletionQueues, type SharedQueue } from './completion-queues.js'

/**
 * How to wait for completions. `event` sleeps at once: least CPU, each wake costs tens of microseconds. `busy` polls in
 * every turn: least latency, one core each. `adaptive` polls for a short while after activity; so does `busy` while
 * `unref()` has been called on all that wait, since polling keeps the process alive.
 */
export type Polling = 'adaptive' | 'busy' | 'event'

/** How a {@link CompletionLoop} waits. */
export interface PollingOptions {
  readonly polling: Polling
  /** Adaptive: for how long after the last completion it goes on polling, in microseconds. */
  readonly adaptiveMicroseconds: number
  /** For how long a turn goes on asking in native code, in microseconds; and again after what was answered at once. */
  readonly spinMicroseconds: number
}

/** Completions that one poll takes at most. */
const BATCH = 64
/** For how long a turn goes on, with what continues it, before timers and other sockets get theirs. */
const TURN_MS = 0.05

/** Takes completions for whoever has a queue pair on the queues. */
export class CompletionLoop {
  readonly #clock: Clock
  readonly #options: PollingOptions
  readonly #channel: CompletionChannel
  readonly #queues: CompletionQueues
  readonly #dispatch = new CompletionDispatch()
  #state: 'idle' | 'sleeping' | 'polling' = 'idle'
  #immediate: ClockTimer | undefined
  #lastActivityMs = 0
  #references = 0
  #isTaking = false
  #isContinuing = false
  /** Until when the turn goes on. */
  #turnEndMs = 0

  constructor(device: Device, clock: Clock, options: PollingOptions) {
    this.#clock = clock
    this.#options = options
    const { maxCompletions, completionVectors } = device.attributes
    // Interrupts of different processes and threads come to different processors.
    const vector = (pid + threadId) % completionVectors
    this.#channel = device.createCompletionChannel({ vector, batch: BATCH })
    this.#queues = new CompletionQueues(this.#channel, maxCompletions)
    // Polling, it comes round in this turn of the event loop anyway.
    this.#channel.onNotify = () => {
      if (this.#state === 'sleeping') this.#turn()
    }
  }

  /** A queue with room for so many more outstanding work requests. */
  reserve(workRequests: number): SharedQueue {
    return this.#queues.reserve(workRequests)
  }

  /** Hands completions of a queue pair to `sink` from now on. */
  route(shared: SharedQueue, queuePairNumber: number, sink: CompletionSink): void {
    this.#dispatch.add(queuePairNumber, shared.queue, sink)
    this.wake()
  }

  /**
   * Forgets a queue pair that was destroyed, or never made. Its leftover completions are taken first: the device may
   * give its number to another. Not to be called from within a sink.
   */
  retire(shared: SharedQueue, workRequests: number, queuePairNumber: number | undefined): void {
    if (queuePairNumber !== undefined) {
      this.drain(shared)
      this.#dispatch.remove(queuePairNumber)
    }
    this.#queues.release(shared, workRequests)
    if (this.#queues.isEmpty) this.#rest()
  }

  /** Takes everything that is in a queue by now. Not to be called from within a sink. */
  drain({ queue }: SharedQueue): void {
    try {
      for (let left = queue.maxCompletions; left > 0; ) {
        const taken = queue.poll()
        if (taken === 0) return
        this.#handOut(queue.completions, taken)
        left -= taken
      }
    } catch (error) {
      this.#dispatch.fail(queue, error)
    }
  }

  /** The device says that a queue failed, which may be one of these. Not to be called from within a sink. */
  onQueueError(queue: CompletionQueue): void {
    const shared = this.#queues.find(queue)
    if (shared) this.drain(shared)
  }

  /** Polls soon, whatever it was doing. */
  wake(): void {
    if (this.#state === 'polling') return
    this.#state = 'polling'
    this.#lastActivityMs = this.#clock.now()
    this.#schedule()
  }

  /** A sink posted sends. */
  posted(): void {
    this.#dispatch.hasAnswered = true
    if (this.#isTaking || this.#isContinuing || this.#state !== 'polling') return
    if (this.#clock.now() >= this.#turnEndMs) return
    this.#isContinuing = true
    nextTick(CompletionLoop.#continue, this)
  }

  /** Counts who wants the process kept alive while it waits. */
  ref(): void {
    if (this.#references++ > 0) return
    this.#channel.ref()
    if (this.#state === 'sleeping' && this.#options.polling === 'busy') this.wake()
  }

  /** Takes back one {@link ref}. */
  unref(): void {
    if (--this.#references === 0) this.#channel.unref()
  }

  /** Gives the channel back. Its queues were retired before. */
  close(): void {
    this.#rest()
    this.#channel.close()
  }

  #rest(): void {
    this.#immediate?.close()
    this.#immediate = undefined
    this.#state = 'idle'
  }

  #schedule(): void {
    this.#immediate ??= this.#clock.setImmediate(() => {
      this.#immediate = undefined
      this.#turn()
    })
  }

  #turn(): void {
    if (this.#queues.isEmpty) return
    this.#state = 'polling'
    const spinMicroseconds = this.#options.polling === 'event' ? 0 : this.#options.spinMicroseconds
    const beganMs = this.#clock.now()
    this.#turnEndMs = beganMs + TURN_MS
    this.#take(spinMicroseconds)
    // Without spinning there is no use in continuing: what was posted is not answered so soon.
    if (spinMicroseconds === 0) this.#turnEndMs = beganMs
    if (this.#queues.isEmpty) this.#rest()
    else if (this.#goesOnPolling() || !this.#fallAsleep()) this.#schedule()
  }

  static #continue(this: void, loop: CompletionLoop): void {
    loop.#isContinuing = false
    if (loop.#state !== 'polling') return
    loop.#take(loop.#options.spinMicroseconds)
  }

  #goesOnPolling(): boolean {
    const { polling, adaptiveMicroseconds } = this.#options
    if (polling === 'busy' && this.#references > 0) return true
    const idleMs = this.#clock.now() - this.#lastActivityMs
    return idleMs * 1000 < (polling === 'event' ? 0 : adaptiveMicroseconds)
  }

  /** Arms, and polls once more. @returns false when something was there after all */
  #fallAsleep(): boolean {
    try {
      const taken = this.#channel.arm()
      if (taken > 0) {
        this.#handOut(this.#channel.completions, taken)
        return false
      }
    } catch (error) {
      this.#findFailed(error)
      return this.#queues.isEmpty
    }
    this.#state = 'sleeping'
    return true
  }

  /** Takes batches until there is none, or the turn is over. */
  #take(spinMicroseconds: number): void {
    for (let isOver = false; !isOver; ) {
      const taken = this.#poll(spinMicroseconds)
      if (taken === 0) return
      const isActive = this.#handOut(this.#channel.completions, taken)
      const nowMs = this.#clock.now()
      if (isActive) this.#lastActivityMs = nowMs
      // Programs that answer later, from a promise for instance, wait for the end of this.
      const awaitsProgram = spinMicroseconds > 0 && taken < BATCH && !this.#dispatch.hasAnswered
      isOver = awaitsProgram || nowMs >= this.#turnEndMs
    }
  }

  #poll(spinMicroseconds: number): number {
    try {
      return this.#channel.poll(spinMicroseconds)
    } catch (error) {
      this.#findFailed(error)
      return 0
    }
  }

  #handOut(words: Uint32Array, count: number): boolean {
    // What is posted by sinks needs no continuation.
    this.#isTaking = true
    const isActive = this.#dispatch.handOut(words, count)
    this.#isTaking = false
    return isActive
  }

  /** The channel knows of a failure, and each queue whether it was its own. */
  #findFailed(error: unknown): void {
    let isFound = false
    const queues = this.#queues.all()
    for (const { queue } of queues) {
      try {
        this.#handOut(queue.completions, queue.poll())
      } catch (ownError) {
        isFound = true
        this.#dispatch.fail(queue, ownError)
      }
    }
    if (!isFound) for (const { queue } of queues) this.#dispatch.fail(queue, error)
  }
}
