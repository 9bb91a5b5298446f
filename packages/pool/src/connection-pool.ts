/** The implementation of a pool: its state, `ready`, draining and closing. {@link Lending} lends the connections. */
import { NettsError, type Transport } from '@netts/core'
import { type ClockTimer, checkOptionNames, checkSignal, checkTimeout } from '@netts/core/driver'
import { checkList, type Endpoint } from './endpoints/endpoint-list.js'
import { EndpointSet } from './endpoints/endpoint-set.js'
import { EndpointFollower } from './endpoints/follow.js'
import { Reporter } from './events.js'
import { traceBorrower } from './leaks.js'
import { Lending, type LendingOwner } from './lending.js'
import type { PoolSettings } from './options.js'
import type {
  AcquireOptions,
  DrainOptions,
  EndpointStatus,
  Pool,
  PooledConnection,
  PoolState,
  PoolStats,
} from './pool.js'
import { ProcessHold } from './process-hold.js'
import type { PoolTime } from './time.js'
import { Waiters, type WaitLimits } from './waiters.js'

const DEFAULT_DRAIN_MS = 10_000

/** See {@link Pool}. */
export class ConnectionPool<T extends Transport, S> implements Pool<T, S>, LendingOwner {
  readonly #settings: PoolSettings<T, S>
  readonly #time: PoolTime
  readonly #reporter: Reporter
  readonly #endpoints: EndpointSet<T, S>
  readonly #lending: Lending<T, S>
  readonly #readyWaiters: Waiters<void>
  readonly #hold = new ProcessHold()
  readonly #follower: EndpointFollower<readonly (Endpoint<T> | Endpoint['address'])[]> | undefined
  readonly #defaultLimits: WaitLimits
  #state: PoolState = 'open'
  #drained: Promise<void> | undefined
  #closed: Promise<void> | undefined
  #onDrained: (() => void) | undefined
  #onEmpty: (() => void) | undefined

  constructor(settings: PoolSettings<T, S>, time: PoolTime) {
    this.#settings = settings
    this.#time = time
    this.#defaultLimits = { signal: undefined, timeoutMs: settings.acquireTimeoutMs }
    const reporter = new Reporter(settings.name, settings.onEvent)
    this.#reporter = reporter
    const endpoints = new EndpointSet(settings, time)
    this.#endpoints = endpoints
    const hold = this.#hold
    this.#lending = new Lending({ settings, time, reporter, endpoints, hold, owner: this })
    this.#readyWaiters = new Waiters('ready', time, {
      explain: (error, sinceMs) => this.#lending.explain(error, sinceMs),
      onWait: () => hold.hold(),
      onLeave: () => hold.release(),
    })
    if (Symbol.asyncIterator in settings.endpoints) {
      this.#follower = new EndpointFollower(settings.endpoints, time, {
        onList: (list) => this.#onList(list),
        onError: (error) => reporter.tell({ type: 'endpoints-failed', error }),
      })
      this.#follower.start()
    } else {
      endpoints.replace(settings.endpoints)
      this.#lending.fill()
    }
  }

  acquire(options?: AcquireOptions): Promise<PooledConnection<T, S>> {
    try {
      const limits = options === undefined ? this.#defaultLimits : this.#checkLimits(options)
      if (this.#state !== 'open') throw this.#lending.explain(this.#closedError())
      const stack = this.#lending.loans.tracesBorrowers ? traceBorrower(this.acquire) : undefined
      return this.#lending.acquire(limits, stack)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async use<R>(
    callback: (connection: PooledConnection<T, S>) => R | PromiseLike<R>,
    options?: AcquireOptions,
  ): Promise<R> {
    const connection = await this.acquire(options)
    try {
      const result = await callback(connection)
      if (!connection.released) connection.release()
      return result
    } catch (error) {
      if (!connection.released) {
        // Other callers share it, and their requests go on.
        if (this.#settings.isShared) connection.release()
        else void connection.close()
      }
      throw error
    }
  }

  async ready(options: AcquireOptions = {}): Promise<void> {
    const limits = this.#checkLimits(options)
    if (this.#state !== 'open') throw this.#lending.explain(this.#closedError())
    if (!limits.signal?.aborted && this.#isReady) return
    return this.#readyWaiters.wait(limits)
  }

  async drain(options: DrainOptions = {}): Promise<void> {
    const { deadlineMs = DEFAULT_DRAIN_MS } = checkOptionNames('options', options, ['deadlineMs'])
    checkTimeout('deadlineMs', deadlineMs)
    if (this.#state === 'closed') return this.close()
    this.#drained ??= this.#drain(deadlineMs)
    return this.#drained
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get state(): PoolState {
    return this.#state
  }

  get endpoints(): readonly EndpointStatus[] {
    return [...this.#endpoints.list]
  }

  get stats(): PoolStats {
    const { loans, supply, waiters, failedAcquires } = this.#lending
    return {
      ...this.#endpoints.sums,
      inFlight: loans.inFlight,
      connecting: supply.connecting,
      waiting: waiters.length,
      failedAcquires,
      endpoints: this.#endpoints.list.map((endpoint) => endpoint.stats),
    }
  }

  // For {@link Lending}.

  get listError(): NettsError | undefined {
    return this.#follower?.lastError
  }

  onChange(): void {
    if (this.#readyWaiters.length > 0 && this.#isReady) {
      while (this.#readyWaiters.length > 0) this.#readyWaiters.serve(() => undefined)
    }
    if (this.#state === 'draining') this.#lending.drain()
    if (this.#lending.waiters.length === 0 && this.#lending.loans.inFlight === 0) this.#onDrained?.()
    if (this.#lending.connections.members.size === 0) this.#onEmpty?.()
  }

  /** Whether each endpoint has `min` connections, or failed while another one has them. */
  get #isReady(): boolean {
    const { min } = this.#settings
    const { list } = this.#endpoints
    let isAnyFull = false
    for (const endpoint of list) {
      const isFull = endpoint.staying - endpoint.connecting >= min
      if (!isFull && endpoint.failures === 0) return false
      if (isFull) isAnyFull = true
    }
    return isAnyFull
  }

  #onList(given: readonly (Endpoint<T> | Endpoint['address'])[]): void {
    const list = checkList<T>(given, this.#settings.builders.length > 0)
    const { added, removed } = this.#endpoints.replace(list)
    for (const endpoint of removed) this.#lending.connections.onRemoved(endpoint)
    if (added.length + removed.length > 0) {
      this.#reporter.tell({
        type: 'endpoints',
        added: added.map(({ address }) => address),
        removed: removed.map(({ address }) => address),
      })
    }
    this.#lending.fill()
  }

  #checkLimits(options: AcquireOptions): WaitLimits {
    const { signal, timeoutMs = this.#settings.acquireTimeoutMs } = checkOptionNames('options', options, [
      'signal',
      'timeoutMs',
    ])
    return { signal: checkSignal(signal), timeoutMs: checkTimeout('timeoutMs', timeoutMs) }
  }

  async #drain(deadlineMs: number): Promise<void> {
    this.#state = 'draining'
    this.#hold.hold()
    let timer: ClockTimer | undefined
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve
      if (deadlineMs > 0) timer = this.#time.setTimer(resolve, deadlineMs)
      this.onChange()
    })
    timer?.close()
    this.#onDrained = undefined
    if (!this.#closed) {
      // The deadline passed: connections that are still lent are destroyed.
      for (const member of this.#lending.connections.members) {
        if (member.users > 0) member.connection.destroy(this.#closedError())
      }
    }
    await this.close()
    this.#hold.release()
    this.#hold.end()
  }

  async #close(): Promise<void> {
    this.#state = 'closed'
    this.#hold.hold()
    this.#follower?.stop()
    this.#readyWaiters.rejectAll(() => this.#closedError())
    this.#lending.close(this.#closedError())
    this.#onDrained?.()
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve
      this.onChange()
    })
    this.#hold.release()
    this.#hold.end()
  }

  #closedError(): NettsError {
    return new NettsError('ERR_NETTS_CLOSED', `the pool is ${this.#state}`)
  }
}
