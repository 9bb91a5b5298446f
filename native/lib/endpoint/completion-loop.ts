/**
 * Decides when to take completions from the queues of one device: how long to poll, and when to sleep.
 *
 * States: *idle* (no connection), *sleeping* (armed; the channel wakes it) and *polling* (it polls in every turn of the
 * event loop). After activity it polls for a while before it arms, polls once more, and sleeps: what arrives between
 * the last poll and the arming causes no notification. The work of a turn is bounded.
 *
 * A program that answers from a promise does so after the turn. While the loop is polling, it then polls again in the
 * same turn of the event loop (a *continuation*), instead of in the next one.
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
 * How to wait for completions. `event` sleeps at once: it uses the least CPU, and each wake takes tens of microseconds.
 * `busy` polls in every turn of the event loop: it has the least latency, and uses a whole core. `adaptive` polls for a
 * while after activity, then sleeps. Because polling keeps the process alive, `busy` behaves like `adaptive` while no
 * connection has a `ref()`.
 */
export type Polling = 'adaptive' | 'busy' | 'event'

/** How a {@link CompletionLoop} waits. */
export interface PollingOptions {
  /** When to poll, and when to sleep. */
  readonly polling: Polling
  /** For so many microseconds after the last completion it goes on polling, unless `polling` is `event`. */
  readonly adaptiveMicroseconds: number
  /**
   * For so many microseconds one poll goes on asking in native code while there is no completion; see `RdmaOptions`.
   */
  readonly spinMicroseconds: number
}

/** The most completions that one poll takes. */
const BATCH = 64
/** For how long a turn with its continuations goes on, before timers and other sockets get their turn. */
const TURN_MS = 0.05

/** Takes the completions of one device's queues, for all connections with the same {@link PollingOptions}. */
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
  /** When the present turn is over. */
  #turnEndMs = 0

  constructor(device: Device, clock: Clock, options: PollingOptions) {
    this.#clock = clock
    this.#options = options
    const { maxCompletions, completionVectors } = device.attributes
    // Different processes and threads take different vectors, whose interrupts go to different processors.
    const vector = (pid + threadId) % completionVectors
    this.#channel = device.createCompletionChannel({ vector, batch: BATCH })
    this.#queues = new CompletionQueues(this.#channel, maxCompletions)
    // While it is polling, it polls in this turn of the event loop anyway.
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
   * Undoes {@link reserve} and {@link route} for a queue pair that was destroyed, or never made. What is left in its
   * queue is taken first, because the device may give its number to another. Not to be called from within a sink.
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

  /** Polls in the next turn of the event loop, whatever the state. */
  wake(): void {
    if (this.#state === 'polling') return
    this.#state = 'polling'
    this.#lastActivityMs = this.#clock.now()
    this.#schedule()
  }

  /** To be called when a sink has posted sends. */
  posted(): void {
    this.#dispatch.hasAnswered = true
    if (this.#isTaking || this.#isContinuing || this.#state !== 'polling') return
    if (this.#clock.now() >= this.#turnEndMs) return
    this.#isContinuing = true
    nextTick(CompletionLoop.#continue, this)
  }

  /** Keeps the process alive until as many calls of {@link unref} undo it. */
  ref(): void {
    if (this.#references++ > 0) return
    this.#channel.ref()
    if (this.#state === 'sleeping' && this.#options.polling === 'busy') this.wake()
  }

  /** Takes back one {@link ref}. */
  unref(): void {
    if (--this.#references === 0) this.#channel.unref()
  }

  /** Closes the channel, after everything was retired. */
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
    // Without spinning a continuation is of no use: what was posted is not answered so soon.
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

  /** Arms, and polls once more. @returns false when that found something, and it has to go on polling */
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
      // A program that answers from a promise can do so only after this returns.
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
    // What sinks post here needs no continuation: the poll after this one takes its completions.
    this.#isTaking = true
    const isActive = this.#dispatch.handOut(words, count)
    this.#isTaking = false
    return isActive
  }

  /** The channel reported that some queue failed: each queue reports whether it did. */
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
