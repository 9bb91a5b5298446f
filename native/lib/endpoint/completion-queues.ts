/**
 * Shares completion queues among queue pairs. A queue that gets more completions than it can hold breaks every queue
 * pair on it, so each queue pair reserves room for all work requests that it may have outstanding.
 */
import type { CompletionChannel, CompletionQueue } from '../verbs/completion-queue.js'

/** A completion queue that several queue pairs share. */
export interface SharedQueue {
  readonly queue: CompletionQueue
  /** Completions that its queue pairs may have outstanding. */
  reserved: number
}

/**
 * Completions that the first queue holds, if the device allows as many: enough for some twenty connections of a usual
 * depth, in 256 KiB. Each further queue holds as many as all before it, so that there are few queues, at least half
 * full.
 */
const FIRST_QUEUE_COMPLETIONS = 4096

/** The queues of one channel. */
export class CompletionQueues {
  readonly #channel: CompletionChannel
  readonly #maxCompletions: number
  readonly #queues: SharedQueue[] = []

  /** @param maxCompletions what the device allows a queue to hold */
  constructor(channel: CompletionChannel, maxCompletions: number) {
    this.#channel = channel
    this.#maxCompletions = maxCompletions
  }

  get isEmpty(): boolean {
    return this.#queues.length === 0
  }

  /** All queues, as a copy. */
  all(): readonly SharedQueue[] {
    return [...this.#queues]
  }

  find(queue: CompletionQueue): SharedQueue | undefined {
    return this.#queues.find((shared) => shared.queue === queue)
  }

  /** A queue with room for so many more outstanding work requests. */
  reserve(workRequests: number): SharedQueue {
    let capacity = 0
    for (const shared of this.#queues) {
      if (shared.reserved + workRequests <= shared.queue.maxCompletions) {
        shared.reserved += workRequests
        return shared
      }
      capacity += shared.queue.maxCompletions
    }
    const wanted = Math.min(Math.max(FIRST_QUEUE_COMPLETIONS, capacity), this.#maxCompletions)
    const queue = this.#channel.createCompletionQueue({ maxCompletions: Math.max(workRequests, wanted) })
    const shared: SharedQueue = { queue, reserved: workRequests }
    this.#queues.push(shared)
    return shared
  }

  /** Undoes one {@link reserve}. A queue goes with its last queue pair. */
  release(shared: SharedQueue, workRequests: number): void {
    shared.reserved -= workRequests
    if (shared.reserved > 0) return
    this.#queues.splice(this.#queues.indexOf(shared), 1)
    shared.queue.close()
  }
}
