/** Listens: endpoints whose handshake is complete wait in a queue for `accept`. */
import type { HostAddress } from '@netts/core'
import { BaseListener } from '@netts/core/driver'
import type { Verbs } from '@netts/verbs'
import { type EndpointListener, type EndpointOptions, listenEndpoints } from '@netts/verbs/endpoint'
import type { SendRecvTransport } from './send-recv-transport.js'
import type { SendRecvSession } from './transport.js'

/** See {@link BaseListener}. */
export class SendRecvListener extends BaseListener<SendRecvTransport> {
  readonly #listener: EndpointListener

  /** @throws NettsError `ERR_NETTS_LISTEN_FAILED` */
  constructor(verbs: Verbs, address: HostAddress, backlog: number, endpoint: EndpointOptions) {
    super(backlog)
    this.#listener = listenEndpoints(verbs, address, {
      endpoint,
      backlog,
      hasRoom: (handshakes) => this.queue.room > handshakes,
      onEndpoint: ({ session }) => {
        const transport = session as SendRecvSession
        if (!this.queue.push(transport)) transport.destroy()
      },
      onFailure: (error) => this.queue.fail(error),
    })
  }

  get address(): HostAddress {
    return this.#listener.address
  }

  protected stop(): void {
    this.#listener.close()
  }

  ref(): void {
    this.#listener.ref()
  }

  unref(): void {
    this.#listener.unref()
  }
}
