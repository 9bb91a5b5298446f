/**
 * Takes completions from the queues of one device and hands them to the connections they belong to.
 *
 * States: *idle* (no connection), *sleeping* (armed; the channel wakes it) and *polling* (comes round in every turn
 * of the event loop). After activity it polls for a while before it arms, polls once more, and sleeps: what arrives
 * between the last poll and the arming causes no notification. A turn's work is bounded.
 *
 * Programs that answer from a promise do so behind the turn. While it polls, the turn then continues there, since the
 * next one would come a whole turn of the event loop later.
 */
import { nextTick } from '@netts/core/driver'
import type { CompletionChannel, CompletionQueue } from '../verbs/completion-queue.js'
import type { Device } from '../verbs/device.js'
import { COMPLETION } from '../verbs/layout.js'
import type { Clock, ClockTimer } from '../verbs/verbs.js'

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

/** What a completion is handed to. */
export interface CompletionSink {
  /** One completion, as `COMPLETION` words from `at` on. They are overwritten when this returned. */
  onCompletion(words: Uint32Array, at: number): void
  /** The batch with at least one completion of this sink is over: the moment to post. */
  onBatchEnd(): void
  /** The queue itself failed, or one of the above threw: the connection can't go on. */
  onQueueFailure(error: unknown): void
}

interface Route {
  readonly sink: CompletionSink
  /** The batch this was last part of. */
  batch: number
}

/** A completion queue that several queue pairs share. */
export interface SharedQueue {
  readonly queue: CompletionQueue
  /** Completions that its queue pairs may have outstanding. */
  reserved: number
  readonly routes: Map<number, Route>
}

/** Completions a shared queue holds, where the device allows as many. */
const QUEUE_COMPLETIONS = 4096
/** Batches that one turn takes from one queue before timers and other sockets get theirs. */
const BATCHES_PER_TURN = 8
/** How often a turn continues behind itself, and with how many batches: a completed send, and what it was answered with. */
const CONTINUATIONS_PER_TURN = 8
const BATCHES_PER_CONTINUATION = 2

/** Polls the completion queues of one device, for whoever has a queue pair on them. */
export class CompletionLoop {
  readonly #device: Device
  readonly #clock: Clock
  readonly #options: PollingOptions
  readonly #channel: CompletionChannel
  readonly #queues: SharedQueue[] = []
  readonly #touched: Route[] = []
  #state: 'idle' | 'sleeping' | 'polling' = 'idle'
  #immediate: ClockTimer | undefined
  #lastActivityMs = 0
  #batch = 0
  #references = 0
  /** Sends were posted since the turn began: it is worth waiting for what they lead to. */
  #hasPosted = false
  #isInTurn = false
  #isContinuing = false
  #continuations = 0

  constructor(device: Device, clock: Clock, options: PollingOptions) {
    this.#device = device
    this.#clock = clock
    this.#options = options
    this.#channel = device.createCompletionChannel()
  }

  /** A queue with room for so many more outstanding work requests. */
  reserve(workRequests: number): SharedQueue {
    const { maxCompletions } = this.#device.attributes
    for (const shared of this.#queues) {
      if (shared.reserved + workRequests <= shared.queue.maxCompletions) {
        shared.reserved += workRequests
        return shared
      }
    }
    const queue = this.#channel.createCompletionQueue({
      maxCompletions: Math.max(workRequests, Math.min(QUEUE_COMPLETIONS, maxCompletions)),
    })
    const shared: SharedQueue = { queue, reserved: workRequests, routes: new Map() }
    queue.onNotify = () => this.#turn()
    this.#queues.push(shared)
    return shared
  }

  /** Whether this is one of its queues. */
  has(queue: CompletionQueue): boolean {
    return this.#queues.some((shared) => shared.queue === queue)
  }

  /** Hands completions of a queue pair to `sink` from now on. */
  route(shared: SharedQueue, queuePairNumber: number, sink: CompletionSink): void {
    shared.routes.set(queuePairNumber, { sink, batch: 0 })
    this.wake()
  }

  /**
   * Forgets a queue pair that was destroyed, or never made. Its leftover completions are taken first: the device may
   * give its number to another. Not to be called from within a sink.
   */
  retire(shared: SharedQueue, workRequests: number, queuePairNumber: number | undefined): void {
    if (queuePairNumber !== undefined) {
      this.drain(shared)
      shared.routes.delete(queuePairNumber)
    }
    shared.reserved -= workRequests
    if (shared.reserved > 0) return
    this.#queues.splice(this.#queues.indexOf(shared), 1)
    shared.queue.close()
    if (this.#queues.length === 0) this.#rest()
  }

  /** Takes everything that is in a queue by now. Not to be called from within a sink. */
  drain(shared: SharedQueue): void {
    for (let left = shared.queue.maxCompletions; left > 0; ) {
      const taken = this.#poll(shared, 0)
      if (taken === 0) return
      left -= taken
    }
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
    this.#hasPosted = true
    if (this.#isInTurn || this.#isContinuing || this.#state !== 'polling' || this.#continuations === 0) return
    this.#continuations--
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
    if (this.#queues.length === 0) return
    this.#state = 'polling'
    this.#hasPosted = false
    const spinMicroseconds = this.#options.polling === 'event' ? 0 : this.#options.spinMicroseconds
    this.#continuations = spinMicroseconds > 0 ? CONTINUATIONS_PER_TURN : 0
    try {
      if (this.#take(BATCHES_PER_TURN, spinMicroseconds)) this.#lastActivityMs = this.#clock.now()
    } finally {
      if (this.#queues.length === 0) this.#rest()
      else if (this.#goesOnPolling() || !this.#fallAsleep()) this.#schedule()
    }
  }

  static #continue(this: void, loop: CompletionLoop): void {
    loop.#isContinuing = false
    if (loop.#state !== 'polling') return
    if (loop.#take(BATCHES_PER_CONTINUATION, loop.#options.spinMicroseconds)) {
      loop.#lastActivityMs = loop.#clock.now()
    }
  }

  #goesOnPolling(): boolean {
    const { polling, adaptiveMicroseconds } = this.#options
    if (polling === 'busy' && this.#references > 0) return true
    const idleMs = this.#clock.now() - this.#lastActivityMs
    return idleMs * 1000 < (polling === 'event' ? 0 : adaptiveMicroseconds)
  }

  /** Arms, and polls once more. @returns false when something was there after all */
  #fallAsleep(): boolean {
    for (const shared of this.#queues) {
      try {
        shared.queue.arm()
      } catch (error) {
        this.#fail(shared, error)
      }
    }
    if (this.#take(BATCHES_PER_TURN, 0)) return false
    // A sink may have closed the last queue meanwhile.
    if (this.#queues.length > 0) this.#state = 'sleeping'
    return true
  }

  /** Takes so many batches from each queue. @returns whether there was any completion */
  #take(mostBatches: number, spinMicroseconds: number): boolean {
    let any = false
    this.#isInTurn = true
    try {
      // By index, since nothing may be allocated here. Queues come and go in turns of their own.
      for (let index = 0; index < this.#queues.length; index++) {
        const shared = this.#queues[index] as SharedQueue
        for (let batches = mostBatches; batches > 0; batches--) {
          // Programs that answer later, from a promise for instance, wait for the end of this.
          const taken = this.#poll(shared, any && !this.#hasPosted ? 0 : spinMicroseconds)
          if (taken === 0) break
          any = true
        }
      }
    } finally {
      // Also when a sink throws over a queue that failed.
      this.#isInTurn = false
    }
    return any
  }

  /** A queue that fails takes its connections with it, and nothing else. */
  #fail(shared: SharedQueue, error: unknown): void {
    for (const { sink } of [...shared.routes.values()]) sink.onQueueFailure(error)
  }

  #poll(shared: SharedQueue, spinMicroseconds: number): number {
    const { queue, routes } = shared
    let taken = 0
    try {
      taken = queue.poll(spinMicroseconds)
    } catch (error) {
      this.#fail(shared, error)
    }
    if (taken === 0) return 0
    const words = queue.completions
    const touched = this.#touched
    this.#batch++
    for (let at = 0, end = taken * COMPLETION.words; at < end; at += COMPLETION.words) {
      const route = routes.get(words[at + COMPLETION.queuePairNumber] as number)
      if (!route) continue
      if (route.batch !== this.#batch) {
        route.batch = this.#batch
        touched.push(route)
      }
      try {
        route.sink.onCompletion(words, at)
      } catch (error) {
        // A driver that can't go on must not keep its neighbours on this queue from their completions.
        nextTick(failLater, route.sink, error)
      }
    }
    for (let route = touched.pop(); route; route = touched.pop()) {
      try {
        route.sink.onBatchEnd()
      } catch (error) {
        nextTick(failLater, route.sink, error)
      }
    }
    return taken
  }
}

/** Tearing down takes completions, which can't be in the midst of a batch. */
function failLater(sink: CompletionSink, error: unknown): void {
  sink.onQueueFailure(error)
}
