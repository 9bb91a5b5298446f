/** Hands completions to the connections to which they belong. */
import { nextTick } from '@netts/core/driver'
import type { CompletionQueue } from '../verbs/completion-queue.js'
import { COMPLETION, CompletionOpcode } from '../verbs/layout.js'
import { InternalKind, kindOf } from './work-request-id.js'

/** Whoever takes the completions of a queue pair. */
export interface CompletionSink {
  /** One completion: `COMPLETION` words from `at` on, valid for this call. */
  onCompletion(words: Uint32Array, at: number): void
  /** A batch with at least one completion of this sink is over: the moment to post. */
  onBatchEnd(): void
  /** The completion queue failed, or one of the above threw: the connection cannot go on. */
  onQueueFailure(error: unknown): void
}

interface Route {
  readonly queue: CompletionQueue
  readonly sink: CompletionSink
  /** The batch this was last part of. */
  batch: number
}

/** The sinks of one device, by the numbers of their queue pairs. */
export class CompletionDispatch {
  /** Sends were posted since the last receive: it is worth polling for their completions. */
  hasAnswered = false
  readonly #routes = new Map<number, Route>()
  readonly #touched: Route[] = []
  #batch = 0
  /** The last lookup: most completions have the same queue pair as the one before. */
  #lastNumber = -1
  #lastRoute: Route | undefined

  /** From now on, completions of a queue pair go to `sink`. @param queue from which they come */
  add(queuePairNumber: number, queue: CompletionQueue, sink: CompletionSink): void {
    this.#routes.set(queuePairNumber, { queue, sink, batch: 0 })
    this.#lastNumber = -1
  }

  remove(queuePairNumber: number): void {
    this.#routes.delete(queuePairNumber)
    this.#lastNumber = -1
    // Otherwise it would keep a closed connection, and its memory, until the next completion.
    this.#lastRoute = undefined
  }

  /**
   * Hands out a batch.
   * @returns whether there was anything but answers to keepalive, after which nothing more is to be expected
   */
  handOut(words: Uint32Array, count: number): boolean {
    const touched = this.#touched
    const batch = ++this.#batch
    let isActive = false
    for (let at = 0, end = count * COMPLETION.words; at < end; at += COMPLETION.words) {
      const number = words[at + COMPLETION.queuePairNumber] as number
      if (number !== this.#lastNumber) {
        this.#lastRoute = this.#routes.get(number)
        this.#lastNumber = number
      }
      const route = this.#lastRoute
      if (!route) continue
      if (kindOf(words[at + COMPLETION.idLow] as number) !== InternalKind.keepAlive) isActive = true
      if ((words[at + COMPLETION.opcode] as number) >= CompletionOpcode.receive) this.hasAnswered = false
      if (route.batch !== batch) {
        route.batch = batch
        touched.push(route)
      }
      try {
        route.sink.onCompletion(words, at)
      } catch (error) {
        // The other sinks get their completions although this one failed.
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
    return isActive
  }

  /** A queue failed: tells the sinks of its queue pairs, and no others. */
  fail(queue: CompletionQueue, error: unknown): void {
    for (const route of [...this.#routes.values()])
      if (route.queue === queue) route.sink.onQueueFailure(error)
  }
}

/** Ending a connection polls its queue, which must not happen within a batch. */
function failLater(sink: CompletionSink, error: unknown): void {
  sink.onQueueFailure(error)
}
