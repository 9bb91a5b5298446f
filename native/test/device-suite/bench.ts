/** What the device suite runs on, and how its tests wait: for events, and for completions. */
import assert from 'node:assert/strict'
import type { CmEvent, CmId } from '../../lib/verbs/cm.js'
import type { CompletionQueue } from '../../lib/verbs/completion-queue.js'
import { completionStatusName } from '../../lib/verbs/errors.js'
import { CompletionStatus } from '../../lib/verbs/layout.js'
import { readCompletion, type WorkCompletion } from '../../lib/verbs/records.js'
import type { Verbs } from '../../lib/verbs/verbs.js'

/**
 * Where a device is known to do otherwise than the specification says. The simulation does as specified.
 * - `window-range-unchecked`: a window's key opens the whole region. Kernel 6.1's rxe: `check_rkey` in
 *   `rxe_resp.c` compares with the bounds of the region that the window is bound to.
 * - `read-permission-unchecked`: a region can be read without `remoteRead`. Kernel 6.1's siw: `siw_qp_tx.c` takes
 *   the memory of a read response without asking for any access.
 * - `invalidation-untold`: a receive does not say that the Send invalidated a key. Kernel 6.1's rxe: `do_complete` in
 *   `rxe_resp.c` sets the kernel's flag, `IB_WC_WITH_INVALIDATE`, whose bit is another flag to programs.
 * - `any-key-invalidated`: a Send that invalidates the key of a region, which no window is, succeeds. Kernel 6.1's rxe.
 */
export type Deviation =
  | 'window-range-unchecked'
  | 'read-permission-unchecked'
  | 'invalidation-untold'
  | 'any-key-invalidated'

/** Two ends to connect: two hosts, or twice the same one over its own address. */
export interface Bench {
  readonly client: Verbs
  readonly server: Verbs
  /** The IP address that the client reaches the server at. */
  readonly serverHost: string
  /** @default none */
  readonly deviations?: readonly Deviation[]
  /** Runs until the promise settles: in a simulation it has to be driven. */
  settle<T>(promise: Promise<T>): Promise<T>
}

/** What runs a suite: vitest, node:test and others fit. */
export interface DeviceSuiteOptions {
  /** Which device this is, for the title. */
  readonly name: string
  readonly describe: (name: string, body: () => void) => void
  readonly it: (name: string, body: () => Promise<void>) => void
  /** Called for each test. What the test leaves open is a failure. */
  readonly open: () => Bench | Promise<Bench>
  /** How often each test runs, each time with a bench of its own. @default 1 */
  readonly rounds?: number
}

/** Declares a test that runs on a bench, and checks that nothing is left open. */
export type DeviceTest = (name: string, body: (bench: Bench) => Promise<void>) => void

/** Waits for events of an id, in order. */
export class EventLog {
  readonly id: CmId
  readonly #events: CmEvent[] = []
  #waiter: (() => void) | undefined

  constructor(id: CmId) {
    this.id = id
    id.ref()
    id.onEvent = (event) => {
      if (event.type === 'timewait-exit') return
      this.#events.push(event)
      this.#waiter?.()
      this.#waiter = undefined
    }
  }

  async next(): Promise<CmEvent> {
    for (;;) {
      const event = this.#events.shift()
      if (event) return event
      await new Promise<void>((resolve) => {
        this.#waiter = resolve
      })
    }
  }

  /** The next event, which has to be of this type. */
  async expect<T extends CmEvent['type']>(type: T): Promise<Extract<CmEvent, { type: T }>> {
    const event = await this.next()
    assert.equal(event.type, type, describeEvent(event))
    return event as Extract<CmEvent, { type: T }>
  }
}

/** An event in words, for messages. */
export function describeEvent(event: CmEvent): string {
  return 'status' in event ? `${event.type} (${event.status})` : event.type
}

/** Waits for completions: poll, arm, poll once more, and only then wait for the notification. */
export class CompletionLog {
  readonly queue: CompletionQueue
  readonly #ready: WorkCompletion[] = []
  #waiter: (() => void) | undefined

  constructor(queue: CompletionQueue) {
    this.queue = queue
    queue.onNotify = () => {
      this.#waiter?.()
      this.#waiter = undefined
    }
  }

  /** Takes what is there now. */
  poll(): WorkCompletion[] {
    for (let count = this.queue.poll(); count > 0; count = this.queue.poll()) {
      for (let index = 0; index < count; index++) this.#ready.push(readCompletion(this.queue, index))
    }
    return this.#ready
  }

  /** The next `count` completions, whatever their status. */
  async take(count: number): Promise<WorkCompletion[]> {
    for (;;) {
      if (this.poll().length >= count) return this.#ready.splice(0, count)
      this.queue.arm()
      if (this.poll().length >= count) return this.#ready.splice(0, count)
      await new Promise<void>((resolve) => {
        this.#waiter = resolve
      })
    }
  }

  /** The next `count` completions, all of which have to be successes. */
  async succeed(count: number): Promise<WorkCompletion[]> {
    const completions = await this.take(count)
    for (const { id, status } of completions) {
      assert.equal(
        status,
        CompletionStatus.success,
        `work request ${id} ended with ${completionStatusName(status)}`,
      )
    }
    return completions
  }
}
