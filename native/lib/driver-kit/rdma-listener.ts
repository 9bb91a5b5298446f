/** The listener of drivers over RDMA: endpoints whose handshake is complete wait in a queue for `accept`. */
import type { HostAddress, Transport } from '@netts/core'
import { BaseListener } from '@netts/core/driver'
import type { EndpointOptions } from '../endpoint/endpoint-session.js'
import { type EndpointListener, listenEndpoints } from '../endpoint/listener.js'
import type { Verbs } from '../verbs/verbs.js'

/** See {@link BaseListener}. */
export class RdmaListener<T extends Transport> extends BaseListener<T> {
  readonly #listener: EndpointListener

  /**
   * @param endpoint options of each endpoint; its sessions are the transports
   * @throws NettsError as {@link listenEndpoints}
   */
  constructor(verbs: Verbs, address: HostAddress, backlog: number, endpoint: EndpointOptions) {
    super(backlog)
    this.#listener = listenEndpoints(verbs, address, {
      endpoint,
      backlog,
      hasRoom: (handshakes) => this.queue.room > handshakes,
      onEndpoint: ({ session }) => {
        const transport = session as unknown as T
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
