/**
 * Listening, for one driver: a handshake for each request, all at once, each with its own deadline. One client's failure
 * is its own. Drivers that listen at one address share its {@link SharedListener}.
 */
import { formatAddress, type HostAddress, NettsError } from '@netts/core'
import { StallDeadline } from '@netts/core/driver'
import type { CmConnectRequestEvent, CmId } from '../verbs/cm.js'
import type { Verbs } from '../verbs/verbs.js'
import { EndpointMachine } from './endpoint.js'
import type { Endpoint, EndpointOptions } from './endpoint-session.js'
import { ACK_TIMEOUT, connectionParameters } from './handshake.js'
import { decodeHello, encodeHello, encodeRefusal, HelloError, RefusalReason } from './hello.js'
import { type ListeningDriver, refuse, SharedListener } from './shared-listener.js'
import { withSlabsAhead } from './slabs-ahead.js'

/** How long a client may take from its request to its READY. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** What a listener is for. */
export interface EndpointListenerOptions {
  readonly endpoint: EndpointOptions
  /** Requests that may wait in the kernel, and handshakes at once. */
  readonly backlog: number
  /** Whether one more connection is wanted, with so many handshakes in progress. Others are refused as busy. */
  hasRoom(handshakes: number): boolean
  /** A handshake is complete. Also called for none that `close` has refused. */
  onEndpoint(endpoint: Endpoint): void
  /** The listener itself broke, such as by the removal of its device. */
  onFailure(error: NettsError): void
  /** A handshake failed; for observation only. @default nothing */
  onHandshakeFailure?(error: NettsError): void
}

/** A listener for endpoints. */
export interface EndpointListener {
  /** Where it listens, with the port that was chosen for 0. */
  readonly address: HostAddress
  /** Stops listening; handshakes in progress are refused, open endpoints live on. Idempotent. */
  close(): void
  ref(): void
  unref(): void
}

/**
 * Listens at a local address. Several drivers may listen at the same one, over the same verbs: a request goes to the one
 * that its hello names. On InfiniBand and RoCE the ports are RDMA's own; on iWARP a listener takes the kernel's TCP port of
 * that number, which no other socket can have then.
 *
 * @param address an IP address of an RDMA interface, or `0.0.0.0` or `::` for all of them
 * @throws NettsError `ERR_NETTS_LISTEN_FAILED`; `ERR_NETTS_UNAVAILABLE` when no RDMA device serves the address
 */
export function listenEndpoints(
  verbs: Verbs,
  address: HostAddress,
  options: EndpointListenerOptions,
): EndpointListener {
  const id = verbs.createCmId()
  try {
    return new Listener(verbs, id, address, options)
  } catch (error) {
    id.close()
    throw listenFailure(verbs, address, error as Error)
  }
}

function listenFailure(verbs: Verbs, address: HostAddress, cause: Error): NettsError {
  const { code } = (cause.cause ?? {}) as { code?: unknown }
  const isNoDevice = code === 'ENODEV'
  let hint = ''
  if (isNoDevice) hint = '. No RDMA device serves that address'
  else if (code === 'EADDRINUSE' && verbs.devices().some(({ transport }) => transport === 'iwarp')) {
    hint = '. On iWARP it takes the TCP port of that number, which no TCP socket may have then'
  }
  return new NettsError(
    isNoDevice ? 'ERR_NETTS_UNAVAILABLE' : 'ERR_NETTS_LISTEN_FAILED',
    `cannot listen at ${formatAddress(address)}: ${cause.message}${hint}`,
    { cause, operation: 'listen', address },
  )
}

class Listener implements EndpointListener, ListeningDriver {
  readonly driver: number
  readonly #verbs: Verbs
  readonly #shared: SharedListener
  readonly #options: EndpointListenerOptions
  readonly #handshakes = new Set<EndpointMachine>()
  /** Requests whose memory is being registered. */
  readonly #admitted = new Set<CmId>()
  #closed = false

  constructor(verbs: Verbs, id: CmId, address: HostAddress, options: EndpointListenerOptions) {
    const { identity, trafficClass } = options.endpoint
    this.driver = identity.driver
    this.#verbs = verbs
    this.#options = options
    this.#shared = SharedListener.join(verbs, id, { address, backlog: options.backlog, trafficClass }, this)
  }

  get address(): HostAddress {
    return this.#shared.address
  }

  ref(): void {
    this.#shared.ref(this)
  }

  unref(): void {
    this.#shared.unref(this)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#shared.leave(this)
    for (const endpoint of this.#handshakes) {
      endpoint.close(new NettsError('ERR_NETTS_CLOSED', 'the listener was closed'))
    }
  }

  onRequest(request: CmConnectRequestEvent): void {
    if (this.#options.hasRoom(this.#handshakes.size + this.#admitted.size)) void this.#admit(request)
    else this.onRefused(refuse(request.id, RefusalReason.busy, ''))
  }

  /** Never rejects. */
  async #admit(request: CmConnectRequestEvent): Promise<void> {
    const { id, privateData } = request
    const { endpoint } = this.#options
    this.#admitted.add(id)
    try {
      const body = decodeHello(endpoint.identity, privateData)
      await withSlabsAhead(this.#verbs, id, endpoint, () => {
        // From here on it counts as a handshake, or not at all.
        this.#admitted.delete(id)
        if (this.#closed) throw new NettsError('ERR_NETTS_CLOSED', 'the listener was closed')
        this.#shakeHands(request, body)
      })
    } catch (error) {
      const reason =
        error instanceof HelloError
          ? error.reason
          : error instanceof NettsError && error.code === 'ERR_NETTS_PROTOCOL'
            ? RefusalReason.invalid
            : RefusalReason.resources
      this.onRefused(refuse(id, reason, (error as Error).message))
    } finally {
      this.#admitted.delete(id)
    }
  }

  onRefused(error: NettsError): void {
    this.#options.onHandshakeFailure?.(error)
  }

  onRemoved(): void {
    this.close()
    this.#options.onFailure(
      new NettsError('ERR_NETTS_CLOSED', 'the device that it listened on was removed', {
        operation: 'listen',
        address: this.address,
      }),
    )
  }

  /** @throws what makes the request refused, having cleaned up after itself */
  #shakeHands({ id, ...offer }: CmConnectRequestEvent, body: Uint8Array): void {
    const { endpoint: options } = this.#options
    let refusal: NettsError | undefined
    const endpoint = new EndpointMachine(this.#verbs, id, 'acceptor', options, {
      onOpen: () => {
        deadline.stop()
        this.#handshakes.delete(endpoint)
        this.#options.onEndpoint(endpoint)
      },
      onEnd: (error) => {
        deadline.stop()
        if (this.#handshakes.delete(endpoint)) this.onRefused(error)
      },
      onClosed() {},
    })
    const deadline = new StallDeadline({
      clock: this.#verbs.clock,
      timeoutMs: HANDSHAKE_TIMEOUT_MS,
      look: () => endpoint.look(),
      // What the client does within the time is all the same: it has to come to an end.
      progress: () => 0,
      onStalled: () => {
        const message = 'the client did not complete its handshake in time'
        endpoint.close(new NettsError('ERR_NETTS_TIMEOUT', message))
      },
    })
    id.onEvent = (event) => endpoint.onCmEvent(event)
    try {
      endpoint.session.onHello(body)
      id.setAckTimeout(ACK_TIMEOUT)
      const hello = encodeHello(options.identity, endpoint.session.hello())
      id.accept(connectionParameters(options, endpoint.device, hello, offer))
      endpoint.greet()
    } catch (error) {
      refusal = error as NettsError
    }
    if (refusal) {
      const reason = refusal.code === 'ERR_NETTS_PROTOCOL' ? RefusalReason.invalid : RefusalReason.resources
      try {
        id.reject(encodeRefusal(reason, refusal.message))
      } catch {
        // The client has gone, or it was accepted already: closing tells it then.
      }
      endpoint.close(refusal)
      this.onRefused(refusal)
      return
    }
    this.#handshakes.add(endpoint)
    deadline.start()
  }
}
