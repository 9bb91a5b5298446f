/** Connects to an address. Whatever interrupts it, nothing stays open. */
import dns from 'node:dns/promises'
import { isIP } from 'node:net'
import { type HostAddress, NettsError } from '@netts/core'
import type { EndSignal } from '@netts/core/driver'
import type { CmId } from '../verbs/cm.js'
import type { Verbs } from '../verbs/verbs.js'
import { type Attempt, raceAddresses } from './address-race.js'
import { EndpointMachine } from './endpoint.js'
import type { Endpoint, EndpointOptions } from './endpoint-session.js'
import { ACK_TIMEOUT, addressHint, CmSteps, connectionParameters, describeAttempt } from './handshake.js'
import { decodeHello, encodeHello } from './hello.js'
import { withSlabsAhead } from './slabs-ahead.js'

const ENDS: ReadonlySet<string> = new Set(['ERR_NETTS_RESET', 'ERR_NETTS_PEER_LOST', 'ERR_NETTS_VERBS'])
/** For resolving the address, and again for resolving the route. */
const RESOLVE_TIMEOUT_MS = 5_000

/**
 * Connects to a listener of the same driver, and completes hello and READY. It has no deadline of its own: builders
 * have one (`createBuilder` and `withDeadline` of `@netts/core/driver`).
 *
 * @param verbs to run on
 * @param address of the peer; a name is looked up, and its addresses are tried with a head start of 250 ms each
 * @param ended when it fires, the attempt ends and nothing stays open; then the promise may stay pending. @default
 *   never
 * @returns the open endpoint, whose `session` is what `options.openSession` made. Rejects with
 *   `ERR_NETTS_CONNECT_FAILED`, `ERR_NETTS_REJECTED` (the listener refused), `ERR_NETTS_PROTOCOL` (it is no listener of
 *   this driver), `ERR_NETTS_UNAVAILABLE`, or what `openSession` threw
 */
export async function connectEndpoint(
  verbs: Verbs,
  address: HostAddress,
  options: EndpointOptions,
  ended: EndSignal = never(),
): Promise<Endpoint> {
  const hosts = await resolveName(address)
  ended.throwIfAborted()
  const start = (host: string) => new ConnectAttempt(verbs, host, address, options)
  return raceAddresses(verbs.clock, hosts, ended, start, isConclusive)
}

function never(): EndSignal {
  return { aborted: false, reason: undefined, throwIfAborted() {}, onabort: undefined }
}

/**
 * Whether other addresses are not to be tried: the peer was reached and refused, or something is missing at this end.
 */
function isConclusive(error: unknown): boolean {
  return !(error instanceof NettsError) || error.code !== 'ERR_NETTS_CONNECT_FAILED'
}

/** Connects to one of the IP addresses behind an address. */
class ConnectAttempt implements Attempt<Endpoint> {
  readonly #verbs: Verbs
  readonly #host: string
  readonly #address: HostAddress
  readonly #options: EndpointOptions
  #id: CmId | undefined
  #endpoint: EndpointMachine | undefined
  #abandoned: NettsError | undefined

  constructor(verbs: Verbs, host: string, address: HostAddress, options: EndpointOptions) {
    this.#verbs = verbs
    this.#host = host
    this.#address = address
    this.#options = options
  }

  async run(): Promise<Endpoint> {
    const address = this.#address
    const id = this.#verbs.createCmId()
    this.#id = id
    id.ref()
    try {
      const { localAddress, trafficClass } = this.#options
      const steps = new CmSteps(id, address, localAddress)
      const destination = { host: this.#host, port: address.port }
      const source = localAddress === undefined ? {} : { source: { host: localAddress, port: 0 } }
      await steps.take('address-resolved', () =>
        id.resolveAddress({ destination, ...source, timeoutMs: RESOLVE_TIMEOUT_MS }),
      )
      this.#throwIfAbandoned()
      await steps.take('route-resolved', () => {
        id.setAckTimeout(ACK_TIMEOUT)
        if (trafficClass !== undefined) id.setTrafficClass(trafficClass)
        id.resolveRoute(RESOLVE_TIMEOUT_MS)
      })
      this.#throwIfAbandoned()
      const { opened } = await withSlabsAhead(this.#verbs, id, this.#options, () => {
        this.#throwIfAbandoned()
        return { opened: this.#open(id) }
      })
      return await opened
    } catch (error) {
      if (!this.#endpoint) id.close()
      throw asConnectFailure(error, address, this.#options)
    }
  }

  #open(id: CmId): Promise<Endpoint> {
    return new Promise<Endpoint>((resolve, reject) => {
      const made = new EndpointMachine(this.#verbs, id, 'connector', this.#options, {
        onOpen: () => resolve(made),
        onEnd: reject,
        onClosed() {},
      })
      this.#endpoint = made
      shakeHands(made, id, this.#address, this.#options).catch((error) => made.close(error))
    })
  }

  abandon(reason: NettsError): void {
    this.#abandoned = reason
    // Before there is an endpoint, the id is all that has to be closed.
    if (this.#endpoint) this.#endpoint.close(reason)
    else this.#id?.close()
  }

  #throwIfAbandoned(): void {
    if (this.#abandoned) throw this.#abandoned
  }
}

async function shakeHands(
  endpoint: EndpointMachine,
  id: CmId,
  address: HostAddress,
  options: EndpointOptions,
): Promise<void> {
  const { session } = endpoint
  const hello = encodeHello(options.identity, session.hello())
  const steps = new CmSteps(id, address, options.localAddress)
  const asked = steps.take('established', () => {
    id.connect(connectionParameters(options, endpoint.device, hello))
    endpoint.asking()
  })
  const established = await asked.finally(() => endpoint.answered())
  if (endpoint.state !== 'handshaking') return
  id.onEvent = (event) => endpoint.onCmEvent(event)
  try {
    session.onHello(decodeHello(options.identity, established.privateData))
  } catch (error) {
    throw error instanceof NettsError
      ? error
      : new NettsError('ERR_NETTS_PROTOCOL', (error as Error).message, {
          cause: error,
          operation: 'connect',
          address,
        })
  }
  endpoint.onCmEvent(established)
  endpoint.greet()
}

/** The end of a connection that was not open yet is a failure to connect. */
function asConnectFailure(error: unknown, address: HostAddress, { localAddress }: EndpointOptions): unknown {
  if (!(error instanceof NettsError) || !ENDS.has(error.code)) return error
  const hint = localAddress === undefined ? addressHint(address) : undefined
  return new NettsError(
    'ERR_NETTS_CONNECT_FAILED',
    `${describeAttempt(address, localAddress)} failed: ${error.message}${hint === undefined ? '' : `. ${hint}`}`,
    {
      cause: error,
      operation: 'connect',
      address,
    },
  )
}

/** The IP addresses behind a name, in the order to try them. Leaves the event loop's thread. */
async function resolveName(address: HostAddress): Promise<readonly string[]> {
  if (isIP(address.host) !== 0) return [address.host]
  try {
    const found = await dns.lookup(address.host, { all: true })
    return [...new Set(found.map((entry) => entry.address))]
  } catch (error) {
    throw new NettsError('ERR_NETTS_CONNECT_FAILED', `the name ${address.host} does not resolve`, {
      cause: error,
      operation: 'connect',
      address,
    })
  }
}
