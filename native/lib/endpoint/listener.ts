/**
 * Listening, for one driver: a handshake for each request, many at a time, each with its own deadline. A client whose
 * handshake fails does not affect others. Drivers that listen at the same address share its {@link SharedListener}.
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

/** Options of {@link listenEndpoints}. */
export interface EndpointListenerOptions {
  /** How each connection's endpoint is made. */
  readonly endpoint: EndpointOptions
  /** Requests that may wait in the kernel, at least 1; a number below 128 counts as 128. */
  readonly backlog: number
  /** Whether one more connection is wanted while so many handshakes are in progress. If not, the request is refused. */
  hasRoom(handshakes: number): boolean
  /** A handshake is complete: the endpoint is open, and belongs to the callee. Not called any more after `close`. */
  onEndpoint(endpoint: Endpoint): void
  /** The listener was closed by a failure, such as the removal of its device. */
  onFailure(error: NettsError): void
  /** A handshake failed, or a request was refused; for observation only. @default none */
  onHandshakeFailure?(error: NettsError): void
}

/** A listener for endpoints. */
export interface EndpointListener {
  /** Where it listens, with the port that was chosen for 0. */
  readonly address: HostAddress
  /** Stops listening. Handshakes in progress are ended; open endpoints stay open. Idempotent. */
  close(): void
  /** Keeps the process alive while it listens; a new listener does. Calls are not counted. */
  ref(): void
  /** Lets the process end although it listens. */
  unref(): void
}

/**
 * Listens at a local address. Several drivers may listen at the same address, over the same verbs: a request goes to
 * the driver that its hello names. On InfiniBand and RoCE the ports are RDMA's own; on iWARP a listener takes the
 * kernel's TCP port of that number, so no TCP socket can have it at the same time.
 *
 * @param verbs to run on
 * @param address an IP address of an RDMA interface, or `0.0.0.0` or `::` for all of them; port 0 takes a free one
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
    hint = '. On iWARP it takes the TCP port of that number, which a TCP socket may have'
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
  /** Requests for which memory is being registered. */
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
        // From here on it counts among the handshakes.
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
      new NettsError('ERR_NETTS_CLOSED', 'the device on which it listened was removed', {
        operation: 'listen',
        address: this.address,
      }),
    )
  }

  /** @throws the reason to refuse the request, if no endpoint could be made; then nothing stays open but the id */
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
      // Nothing but the end of the handshake counts as progress.
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
        // The client has gone, or was accepted already: then closing the endpoint tells it.
      }
      endpoint.close(refusal)
      this.onRefused(refusal)
      return
    }
    this.#handshakes.add(endpoint)
    deadline.start()
  }
}
