/**
 * One listening id of the connection manager for all drivers that listen at its address: each request goes to the
 * driver that its hello names. The id is opened for the first driver and closed by the last.
 */
import { formatAddress, type HostAddress, NettsError } from '@netts/core'
import type { CmConnectRequestEvent, CmId } from '../verbs/cm.js'
import type { Verbs } from '../verbs/verbs.js'
import { encodeRefusal, HelloError, RefusalReason, readDriver } from './hello.js'

/**
 * The least number of requests that may wait in the kernel. They are for all drivers together; each driver decides
 * itself how many connections it takes.
 */
const LEAST_BACKLOG = 128

/** Where and how to listen. */
export interface SharedListenerOptions {
  readonly address: HostAddress
  readonly backlog: number
  /** See `EndpointOptions.trafficClass`; it is the same for all drivers that share a listener. */
  readonly trafficClass: number | undefined
}

/** A driver that listens. */
export interface ListeningDriver {
  /** Its number in the hello. */
  readonly driver: number
  /** A request names this driver. Its id is to be accepted, or refused and closed. */
  onRequest(request: CmConnectRequestEvent): void
  /** A request that names none of the drivers here was refused. */
  onRefused(error: NettsError): void
  /** The device that it listened on was removed. */
  onRemoved(): void
}

/** Listeners that are open, by address. */
const listeners = new WeakMap<Verbs, Map<string, SharedListener>>()

/** Routes the requests of one listening id to the drivers that joined it. */
export class SharedListener {
  /** Where it listens, with the port that was chosen for 0. */
  readonly address: HostAddress
  readonly #verbs: Verbs
  readonly #id: CmId
  readonly #trafficClass: number | undefined
  readonly #drivers = new Map<number, ListeningDriver>()
  /** Those that keep the process alive. */
  readonly #holders = new Set<ListeningDriver>()

  /**
   * Listens for a driver, together with those that listen at the address already over the same verbs. It keeps the
   * process alive.
   * @param id a new one, which it uses or closes; the caller closes it when this throws
   * @throws NettsError what the device refused; `ERR_NETTS_INVALID_STATE` when the same driver listens there already,
   *   or another one with another traffic class
   */
  static join(
    verbs: Verbs,
    id: CmId,
    options: SharedListenerOptions,
    driver: ListeningDriver,
  ): SharedListener {
    const ofVerbs = listeners.get(verbs) ?? new Map<string, SharedListener>()
    listeners.set(verbs, ofVerbs)
    let shared = ofVerbs.get(formatAddress(options.address))
    if (shared) {
      shared.#checkAdmits(driver, options.trafficClass)
      id.close()
    } else {
      shared = new SharedListener(verbs, id, options)
      ofVerbs.set(formatAddress(shared.address), shared)
    }
    shared.#drivers.set(driver.driver, driver)
    shared.ref(driver)
    return shared
  }

  private constructor(verbs: Verbs, id: CmId, { address, backlog, trafficClass }: SharedListenerOptions) {
    this.#verbs = verbs
    this.#id = id
    this.#trafficClass = trafficClass
    id.bindAddress(address)
    if (trafficClass !== undefined) id.setTrafficClass(trafficClass)
    id.listen(Math.max(LEAST_BACKLOG, backlog))
    this.address = id.localAddress as HostAddress
    id.onEvent = (event) => {
      if (event.type === 'connect-request') this.#onRequest(event)
      else if (event.type === 'device-removal') for (const driver of this.#all) driver.onRemoved()
    }
  }

  ref(driver: ListeningDriver): void {
    if (this.#drivers.get(driver.driver) !== driver) return
    this.#holders.add(driver)
    this.#id.ref()
  }

  unref(driver: ListeningDriver): void {
    this.#holders.delete(driver)
    if (this.#holders.size === 0) this.#id.unref()
  }

  /** A driver stops listening. */
  leave(driver: ListeningDriver): void {
    this.#drivers.delete(driver.driver)
    this.unref(driver)
    if (this.#drivers.size > 0) return
    listeners.get(this.#verbs)?.delete(formatAddress(this.address))
    this.#id.close()
  }

  get #all(): ListeningDriver[] {
    return [...this.#drivers.values()]
  }

  #checkAdmits({ driver }: ListeningDriver, trafficClass: number | undefined): void {
    const taken = (by: string) => new NettsError('ERR_NETTS_INVALID_STATE', `${by} listens there already`)
    if (this.#drivers.has(driver)) throw taken('the same driver')
    if (trafficClass !== this.#trafficClass) throw taken('another driver, with another traffic class,')
  }

  #onRequest(request: CmConnectRequestEvent): void {
    let asked: ListeningDriver
    try {
      asked = this.#driverOf(request.privateData)
    } catch (error) {
      const { reason, message } = error as HelloError
      const refusal = refuse(request.id, reason, message)
      for (const driver of this.#all) driver.onRefused(refusal)
      return
    }
    asked.onRequest(request)
  }

  /** @throws HelloError when there is none */
  #driverOf(privateData: Uint8Array): ListeningDriver {
    const number = readDriver(privateData)
    const driver = this.#drivers.get(number)
    if (driver) return driver
    const numbers = [...this.#drivers.keys()].join(' and ')
    throw new HelloError(RefusalReason.driver, `the peer runs driver ${number}, not ${numbers}`)
  }
}

/** Refuses a request and closes its id. @param text for the client @returns the error to report here */
export function refuse(id: CmId, reason: number, text: string): NettsError {
  try {
    id.reject(encodeRefusal(reason, text))
  } catch {
    // The verbs, and the id with them, were closed while memory was being registered.
  }
  id.close()
  return new NettsError('ERR_NETTS_REJECTED', text === '' ? 'the backlog is full' : text)
}
