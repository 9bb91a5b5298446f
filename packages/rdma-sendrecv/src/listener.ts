/** Listens: endpoints whose handshake is complete wait in a queue for `accept`. */
import type { AcceptOptions, HostAddress, TransportListener } from '@netts/core'
import { AcceptQueue, checkSignal } from '@netts/core/driver'
import type { Verbs } from '@netts/verbs'
import { type EndpointListener, type EndpointOptions, listenEndpoints } from '@netts/verbs/endpoint'
import type { SendRecvTransport } from './send-recv-transport.js'
import type { SendRecvSession } from './transport.js'

/** @throws NettsError `ERR_NETTS_LISTEN_FAILED` */
export function openListener(
  verbs: Verbs,
  address: HostAddress,
  backlog: number,
  endpoint: EndpointOptions,
): TransportListener<SendRecvTransport> {
  const queue = new AcceptQueue<SendRecvTransport>(backlog)
  const listener = listenEndpoints(verbs, address, {
    endpoint,
    backlog,
    hasRoom: (handshakes) => queue.room > handshakes,
    onEndpoint: ({ session }) => {
      const transport = session as SendRecvSession
      if (!queue.push(transport)) transport.destroy()
    },
    onFailure: (error) => queue.fail(error),
  })
  return new SendRecvListener(listener, queue)
}

class SendRecvListener implements TransportListener<SendRecvTransport> {
  readonly #listener: EndpointListener
  readonly #queue: AcceptQueue<SendRecvTransport>

  constructor(listener: EndpointListener, queue: AcceptQueue<SendRecvTransport>) {
    this.#listener = listener
    this.#queue = queue
  }

  get address(): HostAddress {
    return this.#listener.address
  }

  accept(options: AcceptOptions = {}): Promise<SendRecvTransport | undefined> {
    return this.#queue.accept({ signal: checkSignal(options.signal) })
  }

  async close(): Promise<void> {
    this.#listener.close()
    this.#queue.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<SendRecvTransport> {
    return this.#queue[Symbol.asyncIterator]()
  }
}
