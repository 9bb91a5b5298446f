/**
 * Delays the teardown of a connector until its request was answered: on iWARP, destroying an id blocks the thread until
 * then (`iw_destroy_cm_id` in the kernel's iwcm.c).
 */
import type { CmId } from '../verbs/cm.js'
import type { Clock } from '../verbs/verbs.js'

/** How often to call {@link CmId.disconnect} for a host that does not answer. */
const GIVE_UP_INTERVAL_MS = 250

/** Whether the request of one connector is unanswered. */
export class UnansweredConnect {
  readonly #id: CmId
  readonly #clock: Clock
  #isWaiting = false

  constructor(id: CmId, clock: Clock) {
    this.#id = id
    this.#clock = clock
  }

  /** Whether teardown has to wait; never on InfiniBand and RoCE. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** The connector has sent its request. */
  begin(isIwarp: boolean): void {
    this.#isWaiting = isIwarp
  }

  /** The request was answered, or failed. @returns whether {@link isWaiting} was true */
  end(): boolean {
    const waited = this.#isWaiting
    this.#isWaiting = false
    return waited
  }

  /** Makes the kernel give up a host that does not answer at all, which would take minutes otherwise. */
  giveUp(): void {
    if (!this.#isWaiting) return
    try {
      this.#id.disconnect()
    } catch {
      // The verbs were closed, and the id with them.
      return
    }
    this.#clock.setTimer(() => this.giveUp(), GIVE_UP_INTERVAL_MS)
  }
}
