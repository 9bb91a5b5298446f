/** The connection manager's part of a handshake: its steps as promises, its failures as errors, its parameters. */
import { formatAddress, type HostAddress, NettsError } from '@netts/core'
import type { CmConnectRequestEvent, CmEvent, CmId, ConnectionParameters } from '../verbs/cm.js'
import type { Device } from '../verbs/device.js'
import { callError } from '../verbs/errors.js'
import type { EndpointOptions } from './endpoint-session.js'
import { describeRefusal } from './hello.js'

/**
 * 4.096 µs × 2^16 = 268 ms for each of 8 tries: a link may be gone for 2 s. (Adapters may wait up to four times as
 * long.)
 */
export const ACK_TIMEOUT = 16
const RETRY_COUNT = 7
/** Receiver-not-ready does not happen in normal work; 7 would be without end. */
const RNR_RETRY_COUNT = 6
/** What some errnos of the connection manager mean. */
const HINTS: Readonly<Record<string, string>> = {
  ENODEV: 'No RDMA device serves the network that the address is in',
  EADDRNOTAVAIL: 'No RDMA device has that address',
  ECONNREFUSED: 'Nobody listens there',
  ETIMEDOUT: 'Nobody answered',
}

/** What to do when a loopback address, which few devices serve, cannot be reached; `undefined` for other addresses. */
export function addressHint({ host }: HostAddress): string | undefined {
  if (!/^(127\.|::1$|localhost$)/.test(host)) return undefined
  return 'Most RDMA devices do not serve the loopback address: use an address of the RDMA interface itself, also within one machine'
}

/** The reads and atomics that the connector offers: the acceptor takes no more. */
export type Offer = Pick<CmConnectRequestEvent, 'responderResources' | 'initiatorDepth'>

/** What this end asks of the connection: what the driver wants, unless the device or the offer allows less. */
export function connectionParameters(
  options: EndpointOptions,
  { attributes }: Device,
  hello: Uint8Array,
  offer: Offer = { responderResources: options.maxReads, initiatorDepth: options.maxReads },
): ConnectionParameters {
  const { maxReads } = options
  return {
    privateData: hello,
    responderResources: Math.min(maxReads, attributes.maxResponderResources, offer.responderResources),
    initiatorDepth: Math.min(maxReads, attributes.maxInitiatorDepth, offer.initiatorDepth),
    retryCount: RETRY_COUNT,
    rnrRetryCount: RNR_RETRY_COUNT,
  }
}

/** An attempt to connect, as errors name it. */
export function describeAttempt(address: HostAddress, localAddress: string | undefined): string {
  const from = localAddress === undefined ? '' : ` from ${localAddress}`
  return `connecting to ${formatAddress(address)}${from}`
}

/** The error for an event that ends an attempt to connect. */
export function connectFailure(event: CmEvent, address: HostAddress, localAddress?: string): NettsError {
  const where = formatAddress(address)
  if (event.type === 'rejected') {
    if (event.reason === 'nobody-listening') {
      return new NettsError('ERR_NETTS_CONNECT_FAILED', `nobody listens at ${where}`, {
        operation: 'connect',
        address,
      })
    }
    return new NettsError(
      'ERR_NETTS_REJECTED',
      `${where} refused the connection: ${describeRefusal(event.privateData)}`,
      { operation: 'connect', address },
    )
  }
  const status = 'status' in event ? String(event.status) : 'ECONNRESET'
  const hint = addressHint(address) ?? HINTS[status]
  return callError(describeAttempt(address, localAddress), status, {
    code: 'ERR_NETTS_CONNECT_FAILED',
    address,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** Waits for the steps by which an id gets connected, one after the other. */
export class CmSteps {
  readonly #id: CmId
  readonly #address: HostAddress
  readonly #localAddress: string | undefined

  constructor(id: CmId, address: HostAddress, localAddress?: string) {
    this.#id = id
    this.#address = address
    this.#localAddress = localAddress
  }

  /** Starts a step and waits for the event of this type. Rejects with an error for any other event. */
  take<T extends CmEvent['type']>(type: T, start: () => void): Promise<Extract<CmEvent, { type: T }>> {
    return new Promise((resolve, reject) => {
      this.#id.onEvent = (event) => {
        if (event.type === 'address-change') return
        this.#id.onEvent = undefined
        if (event.type === type) resolve(event as Extract<CmEvent, { type: T }>)
        else reject(connectFailure(event, this.#address, this.#localAddress))
      }
      start()
    })
  }
}
