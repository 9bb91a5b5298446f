/**
 * On iWARP, destroying an id blocks the thread until the peer answered its request (`iw_destroy_cm_id` in the kernel's
 * iwcm.c), so that has to wait.
 */
import type { CmId } from '../verbs/cm.js'
import type { Clock } from '../verbs/verbs.js'

/** How often to try to give up on a host that does not answer, see {@link CmId.disconnect}. */
const GIVE_UP_INTERVAL_MS = 250

export class UnansweredConnect {
  readonly #id: CmId
  readonly #clock: Clock
  #isWaiting = false

  constructor(id: CmId, clock: Clock) {
    this.#id = id
    this.#clock = clock
  }

  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** The connector asks its peer now. */
  begin(isIwarp: boolean): void {
    this.#isWaiting = isIwarp
  }

  /** The peer answered, or never will. @returns whether somebody waited for it */
  end(): boolean {
    const waited = this.#isWaiting
    this.#isWaiting = false
    return waited
  }

  /** Has the kernel give up: a host that is silent altogether will not answer for minutes. */
  giveUp(): void {
    if (!this.#isWaiting) return
    try {
      this.#id.disconnect()
    } catch {
      // Somebody closed the verbs underneath.
      return
    }
    this.#clock.setTimer(() => this.giveUp(), GIVE_UP_INTERVAL_MS)
  }
}
