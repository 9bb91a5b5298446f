/** Checks a connection between two borrowers: its input and state, `validate`, and `reset`. */
import type { Address, Connection, NettsError, Transport } from '@netts/core'
import { afterPendingInput } from '@netts/core/driver'
import { callWithDeadline } from './calls.js'
import type { EndpointMember } from './endpoint-state.js'
import type { RetireReason } from './events.js'
import type { PoolSettings } from './options.js'
import type { PoolTime } from './time.js'

/** What the checks call in their pool. */
export interface ChecksOwner<T extends Transport, S> {
  /** The connection may be lent. */
  offer(member: EndpointMember<T, S>): void
  /** The connection is not lent again. */
  retire(member: EndpointMember<T, S>, reason: RetireReason): void
  /** A check is over: the callers that wait may need another connection. */
  fill(): void
}

interface CheckContext<S> {
  readonly endpoint: Address
  readonly signal: AbortSignal
  readonly session: S
}

/** The checks of one pool. During a check no caller has the connection, and it counts as coming. */
export class Checks<T extends Transport, S> {
  readonly #settings: PoolSettings<T, S>
  readonly #time: PoolTime
  readonly #owner: ChecksOwner<T, S>
  readonly #stopping = new AbortController()

  constructor(settings: PoolSettings<T, S>, time: PoolTime, owner: ChecksOwner<T, S>) {
    this.#settings = settings
    this.#time = time
    this.#owner = owner
  }

  /** What is wrong with an idle connection; `undefined` when nothing is. */
  faultOfIdle(member: EndpointMember<T, S>): RetireReason | undefined {
    if (member.hasEnded) return 'ended'
    return !this.#settings.isShared && member.hasStrayInput ? 'unclean' : undefined
  }

  /** Looks for pending input and calls `validate`, before a connection is lent that was idle for long. */
  look(member: EndpointMember<T, S>): void {
    member.endpoint.onCheck(member)
    afterPendingInput(this.#time, () => {
      const { validate } = this.#settings
      const fault = this.#faultOfRested(member)
      if (fault !== undefined || !validate || member.state !== 'checking') {
        this.#end(member, fault)
        return
      }
      this.#call('validate', member, validate).then(
        (isValid) => this.#end(member, isValid === true ? this.#faultOfCalled(member) : 'invalid'),
        () => this.#end(member, 'invalid'),
      )
    })
  }

  /** Calls `reset` for a connection that came back. @returns whether there is a `reset` */
  reset(member: EndpointMember<T, S>): boolean {
    const { reset } = this.#settings
    if (!reset) return false
    member.endpoint.onCheck(member)
    this.#call('reset', member, reset).then(
      () => this.#end(member, this.#faultOfCalled(member)),
      () => this.#end(member, 'reset'),
    )
    return true
  }

  /** Cancels the calls in progress, and all later ones. */
  stop(error: NettsError): void {
    this.#stopping.abort(error)
  }

  /** What is wrong with a connection that was idle for long. */
  #faultOfRested(member: EndpointMember<T, S>): RetireReason | undefined {
    const { min, idleTimeoutMs } = this.#settings
    const { endpoint, expiresWallMs, idleSinceWallMs } = member
    const wallMs = this.#time.wallMs()
    if (expiresWallMs <= wallMs) return 'lifetime'
    // The timer did not fire in time: the machine slept.
    const isSurplus = endpoint.staying - endpoint.connecting > min
    if (isSurplus && idleSinceWallMs + idleTimeoutMs <= wallMs) return 'idle'
    return this.faultOfIdle(member)
  }

  /** What is wrong with a connection after `validate` or `reset`. */
  #faultOfCalled(member: EndpointMember<T, S>): RetireReason | undefined {
    if (member.hasEnded) return 'ended'
    return !this.#settings.isShared && member.hasLeftovers ? 'unclean' : undefined
  }

  #call<R>(
    operation: 'validate' | 'reset',
    { connection, session, endpoint }: EndpointMember<T, S>,
    call: (connection: Connection<T>, context: CheckContext<S>) => R | PromiseLike<R>,
  ): Promise<R> {
    const limits = {
      operation,
      endpoint: endpoint.address,
      timeoutMs: this.#settings.checkTimeoutMs,
      signal: this.#stopping.signal,
      time: this.#time,
    }
    return callWithDeadline(limits, (context) => call(connection, { ...context, session }))
  }

  /** Ends a check. The connection may have been retired, or may have ended, during it. */
  #end(member: EndpointMember<T, S>, fault: RetireReason | undefined): void {
    if (member.state === 'checking') {
      member.endpoint.onChecked(member)
      // Input that arrived during the check belonged to the check.
      member.rest(this.#time.wallMs())
      if (fault !== undefined) this.#owner.retire(member, fault)
      else this.#owner.offer(member)
    }
    this.#owner.fill()
  }
}
