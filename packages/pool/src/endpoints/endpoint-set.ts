/** The endpoints that a pool has now: which of them are out, and which can serve a caller. */
import { type Address, formatAddress, type Transport } from '@netts/core'
import { EndpointState } from '../endpoint-state.js'
import type { EndpointError } from '../errors.js'
import type { PoolSettings } from '../options.js'
import { hasRoom, isPanic } from '../policy/sizing.js'
import type { PoolTime } from '../time.js'
import { Wires } from '../wires.js'
import type { Endpoint } from './endpoint-list.js'

/** What changed when a list replaced the one before. */
export interface EndpointChange<T extends Transport, S> {
  readonly added: readonly EndpointState<T, S>[]
  readonly removed: readonly EndpointState<T, S>[]
}

/** The endpoints that a pool has now. */
export class EndpointSet<T extends Transport, S> {
  readonly #settings: PoolSettings<T, S>
  readonly #time: PoolTime
  #list: readonly EndpointState<T, S>[] = []
  /** Connections and attempts to connect, those of endpoints that left the list included. */
  #total = 0
  /** Reused for every choice. */
  readonly #candidates: EndpointState<T, S>[] = []

  constructor(settings: PoolSettings<T, S>, time: PoolTime) {
    this.#settings = settings
    this.#time = time
  }

  get list(): readonly EndpointState<T, S>[] {
    return this.#list
  }

  /** Counts a connection or an attempt that began (1) or ended (-1). */
  count(difference: 1 | -1): void {
    this.#total += difference
  }

  /** Connections and attempts to connect, those of endpoints that left the list included. */
  get total(): number {
    return this.#total
  }

  /** Replaces the list. Endpoints that are in both keep everything but their weight. */
  replace(list: readonly Endpoint<T>[]): EndpointChange<T, S> {
    const before = new Map(this.#list.map((endpoint) => [formatAddress(endpoint.address), endpoint]))
    const added: EndpointState<T, S>[] = []
    this.#list = list.map(({ address, weight = 1, builder }) => {
      const key = formatAddress(address)
      const known = before.get(key)
      if (known) {
        before.delete(key)
        known.weight = weight
        return known
      }
      const endpoint = this.#make(address, weight, builder)
      added.push(endpoint)
      return endpoint
    })
    const removed = [...before.values()]
    for (const endpoint of removed) endpoint.isRemoved = true
    return { added, removed }
  }

  /** Whether endpoints whose circuit breaker is open get traffic all the same, because too many are out. */
  get isPanic(): boolean {
    let ejected = 0
    for (const endpoint of this.#list) if (!endpoint.circuit.isClosed) ejected++
    return isPanic(this.#list.length, ejected, this.#settings.maxEjected)
  }

  /** Whether an endpoint gets no traffic. */
  isOut(endpoint: EndpointState<T, S>): boolean {
    return endpoint.isRemoved || (!endpoint.circuit.isClosed && !this.isPanic)
  }

  /** Whether a connection may be lent now. */
  get hasAvailable(): boolean {
    return this.#list.some((endpoint) => endpoint.available.length > 0 && !this.isOut(endpoint))
  }

  /** Whether there is room for one more connection to an endpoint. */
  hasRoom(endpoint: EndpointState<T, S>): boolean {
    const { max, maxConnecting, maxTotal } = this.#settings
    if (this.#total >= maxTotal) return false
    const open = endpoint.members.size
    return hasRoom({
      open,
      connecting: endpoint.connecting,
      max,
      maxConnecting,
      isFailing: endpoint.failures > 0,
    })
  }

  /** Whether an attempt at an endpoint may begin now, if there is room. */
  mayConnect(endpoint: EndpointState<T, S>, nowMs: number): boolean {
    return nowMs >= endpoint.retryAtMs && (endpoint.circuit.allowsConnect(nowMs) || this.isPanic)
  }

  /**
   * The endpoints that can serve a caller: those that have a connection to lend; else those that work and have room for
   * another connection; else those that failed or connect slowly and may be tried. The array is reused by the next call.
   *
   * @param isShort whether more callers wait than attempts are in progress: then another attempt may be made at an endpoint
   *   that connects slowly
   */
  candidates(isShort: boolean): readonly EndpointState<T, S>[] {
    const list = this.#list
    // The usual case: the only endpoint, which is never out, has a connection.
    if (list.length === 1 && list[0]!.available.length > 0) return list
    const candidates = this.#candidates
    while (candidates.length > 0) candidates.pop()
    const panic = this.isPanic
    for (const endpoint of list) {
      if (endpoint.available.length > 0 && (panic || endpoint.circuit.isClosed)) candidates.push(endpoint)
    }
    if (candidates.length > 0) return candidates
    const nowMs = this.#time.nowMs()
    for (const endpoint of list) {
      const isWell = endpoint.failures === 0 && endpoint.circuit.isClosed && !endpoint.isSlow(nowMs)
      if (isWell && this.hasRoom(endpoint)) candidates.push(endpoint)
    }
    if (candidates.length > 0) return candidates
    for (const endpoint of list) {
      const isTried = !isShort && endpoint.isSlow(nowMs)
      if (!isTried && this.mayConnect(endpoint, nowMs) && this.hasRoom(endpoint)) candidates.push(endpoint)
    }
    return candidates
  }

  /** The numbers of all endpoints. */
  get sums() {
    const sums = { idle: 0, lent: 0, checking: 0, closing: 0 }
    for (const { idle, lent, checking, closing } of this.#list) {
      sums.idle += idle
      sums.lent += lent
      sums.checking += checking
      sums.closing += closing
    }
    return sums
  }

  /** The newest error of an endpoint that fails. */
  get lastError(): EndpointError | undefined {
    return this.#newestError(
      ({ lastError, failures, circuit }) => lastError !== undefined && (failures > 0 || !circuit.isClosed),
    )
  }

  /** The newest error since a time, also of an endpoint that works again. @param sinceMs on the monotonic clock */
  errorSince(sinceMs: number): EndpointError | undefined {
    return this.#newestError(({ newestErrorAtMs }) => newestErrorAtMs >= sinceMs)
  }

  #newestError(counts: (endpoint: EndpointState<T, S>) => boolean): EndpointError | undefined {
    let newest: EndpointState<T, S> | undefined
    for (const endpoint of this.#list) {
      if (!endpoint.newestError || !counts(endpoint)) continue
      if (!newest || endpoint.newestErrorAtMs > newest.newestErrorAtMs) newest = endpoint
    }
    return newest?.newestError && { endpoint: newest.address, error: newest.newestError }
  }

  #make(address: Address, weight: number, builder: Endpoint<T>['builder']): EndpointState<T, S> {
    const { builders, isWireRequired, wireRetryMs, breaker } = this.#settings
    const own = builder === undefined ? builders : ([builder].flat() as typeof builders)
    const wires = new Wires(isWireRequired ? own.slice(0, 1) : own, wireRetryMs)
    return new EndpointState(address, weight, wires, breaker, this.#time)
  }
}
