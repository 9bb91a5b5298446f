/** Hands completions to the connections that they belong to. */
import { nextTick } from '@netts/core/driver'
import type { CompletionQueue } from '../verbs/completion-queue.js'
import { COMPLETION, CompletionOpcode } from '../verbs/layout.js'
import { InternalKind, kindOf } from './work-request-id.js'

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
  readonly queue: CompletionQueue
  readonly sink: CompletionSink
  /** The batch this was last part of. */
  batch: number
}

/** The sinks of one device, by the numbers of their queue pairs. */
export class CompletionDispatch {
  /** Sends were posted since the last receive: what they lead to is worth waiting for. */
  hasAnswered = false
  readonly #routes = new Map<number, Route>()
  readonly #touched: Route[] = []
  #batch = 0
  /** Most completions belong to whom the one before belonged. */
  #lastNumber = -1
  #lastRoute: Route | undefined

  /** Completions of a queue pair, which come from that queue, go to `sink`. */
  add(queuePairNumber: number, queue: CompletionQueue, sink: CompletionSink): void {
    this.#routes.set(queuePairNumber, { queue, sink, batch: 0 })
    this.#lastNumber = -1
  }

  remove(queuePairNumber: number): void {
    this.#routes.delete(queuePairNumber)
    this.#lastNumber = -1
    // It would hold a closed connection, with its memory, until the next completion.
    this.#lastRoute = undefined
  }

  /**
   * Hands out a batch.
   * @returns whether there was anything but answers to keepalive, which are no reason to expect more
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
        // A driver that can't go on must not keep its neighbours from their completions.
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

  /** A queue that fails takes its connections with it, and nothing else. */
  fail(queue: CompletionQueue, error: unknown): void {
    for (const route of [...this.#routes.values()])
      if (route.queue === queue) route.sink.onQueueFailure(error)
  }
}

/** Tearing down takes completions, which can't be in the midst of a batch. */
function failLater(sink: CompletionSink, error: unknown): void {
  sink.onQueueFailure(error)
}
