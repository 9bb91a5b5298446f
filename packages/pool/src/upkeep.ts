/** What a pool does as time passes, with one timer for whatever is due first. */
import type { Transport } from '@netts/core'
import type { ClockTimer } from '@netts/core/driver'
import type { EndpointMember, EndpointState } from './endpoint-state.js'
import type { EndpointSet } from './endpoints/endpoint-set.js'
import type { RetireReason } from './events.js'
import type { PoolSettings } from './options.js'
import type { PoolTime } from './time.js'

/** What the upkeep calls in its pool. */
export interface UpkeepOwner<T extends Transport, S> {
  /** The connection is not lent again. */
  retire(member: EndpointMember<T, S>, reason: RetireReason): void
  /** Everything that was due is done: the pool may need connections now. */
  onLook(): void
  /** Reports overdue loans. @returns when the next one is overdue, on the monotonic clock, or Infinity */
  checkLeaks(nowMs: number): number
  /** Opens another connection, because all have been busy for `growAfterMs`. */
  grow(): void
}

/** The upkeep of one pool. Its timer does not keep the process alive. */
export class Upkeep<T extends Transport, S> {
  readonly #settings: PoolSettings<T, S>
  readonly #time: PoolTime
  readonly #endpoints: EndpointSet<T, S>
  readonly #owner: UpkeepOwner<T, S>
  #timer: ClockTimer | undefined
  /** When the timer fires, on both clocks; Infinity when it is not set. */
  #atMs = Infinity
  #atWallMs = Infinity
  /** Since when every shared connection is busy, on the monotonic clock; Infinity while one is not. */
  #busySinceMs = Infinity
  #isStopped = false

  constructor(
    settings: PoolSettings<T, S>,
    time: PoolTime,
    endpoints: EndpointSet<T, S>,
    owner: UpkeepOwner<T, S>,
  ) {
    this.#settings = settings
    this.#time = time
    this.#endpoints = endpoints
    this.#owner = owner
  }

  /** Looks at the pool no later than at this time of the monotonic clock. */
  wakeAt(atMs: number): void {
    if (atMs >= this.#atMs || this.#isStopped) return
    const delayMs = Math.max(1, Math.ceil(atMs - this.#time.nowMs()))
    this.#timer?.close()
    this.#atMs = atMs
    this.#atWallMs = this.#time.wallMs() + delayMs
    this.#timer = this.#time.setTimer(this.#look, Math.min(delayMs, LONGEST_DELAY_MS))
  }

  /** A connection became idle. @param wallMs now, on the wall clock */
  onIdle(wallMs: number): void {
    // The timer is mostly set for an earlier time; then the monotonic clock need not be read.
    const { idleTimeoutMs } = this.#settings
    if (wallMs + idleTimeoutMs < this.#atWallMs) this.wakeAt(this.#time.nowMs() + idleTimeoutMs)
  }

  /** A shared connection has one more caller. */
  onShare(member: EndpointMember<T, S>): void {
    if (member.users < this.#settings.share.target || this.#busySinceMs < Infinity || !this.#areAllBusy())
      return
    this.#busySinceMs = this.#time.nowMs()
    this.wakeAt(this.#busySinceMs + this.#settings.share.growAfterMs)
  }

  /** A shared connection has one fewer caller. */
  onUnshare(member: EndpointMember<T, S>): void {
    if (member.users < this.#settings.share.target) this.#busySinceMs = Infinity
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.close()
  }

  readonly #look = () => {
    this.#atMs = this.#atWallMs = Infinity
    const nowMs = this.#time.nowMs()
    const wallMs = this.#time.wallMs()
    for (const endpoint of this.#endpoints.list) {
      const dueWallMs = this.#expire(endpoint, wallMs)
      if (dueWallMs < Infinity) this.wakeAt(nowMs + Math.max(1, dueWallMs - wallMs))
    }
    this.wakeAt(this.#owner.checkLeaks(nowMs))
    this.#grow(nowMs)
    this.#owner.onLook()
  }

  /** Retires connections that are too old or idle for too long. @returns when the next one is, on the wall clock */
  #expire(endpoint: EndpointState<T, S>, wallMs: number): number {
    const { min, idleTimeoutMs } = this.#settings
    let dueWallMs = Infinity
    let surplus = endpoint.staying - endpoint.connecting - min
    for (const member of [...endpoint.members]) {
      if (member.state !== 'ready') continue
      // The wall clock was set back: the idle time begins anew.
      if (member.idleSinceWallMs > wallMs) member.idleSinceWallMs = wallMs
      const idleUntilMs = member.idleSinceWallMs + idleTimeoutMs
      if (member.expiresWallMs <= wallMs) {
        surplus--
        this.#owner.retire(member, 'lifetime')
      } else if (member.users === 0 && surplus > 0 && idleUntilMs <= wallMs) {
        surplus--
        this.#owner.retire(member, 'idle')
      } else {
        dueWallMs = Math.min(dueWallMs, member.expiresWallMs)
        if (member.users === 0 && surplus > 0) dueWallMs = Math.min(dueWallMs, idleUntilMs)
      }
    }
    return dueWallMs
  }

  #grow(nowMs: number): void {
    if (this.#busySinceMs === Infinity) return
    const dueMs = this.#busySinceMs + this.#settings.share.growAfterMs
    if (nowMs < dueMs) {
      this.wakeAt(dueMs)
      return
    }
    // The next call of `onShare` measures anew.
    this.#busySinceMs = Infinity
    if (this.#areAllBusy()) this.#owner.grow()
  }

  /** Whether every shared connection has at least `target` callers, and none is being opened. */
  #areAllBusy(): boolean {
    let isBusy = false
    for (const endpoint of this.#endpoints.list) {
      if (endpoint.connecting > 0) return false
      for (const member of endpoint.members) {
        if (member.state !== 'ready') continue
        if (member.users < this.#settings.share.target) return false
        isBusy = true
      }
    }
    return isBusy
  }
}

/** The longest that a timer can wait: 2^31 - 1 ms. */
const LONGEST_DELAY_MS = 0x7fffffff
