/** A driver by itself, without messages: chunks of bytes, polled when the waker says so. */
import type { RecvCompletion, Transport, TransportBuilder } from '@netts/core'
import { type Channel, ChannelEvents, type Endpoint, type Wire } from './contender.js'
import { hostAddress } from './netts-connection.js'

const BATCH = 16

class TransportChannel extends ChannelEvents implements Channel {
  readonly #transport: Transport
  readonly #batch: RecvCompletion[] = Array.from({ length: BATCH }, () => ({ chunkIndex: 0, byteLength: 0 }))
  /** What the transport did not take yet, in order. */
  readonly #unsent: Uint8Array[] = []
  #closing = false
  #closed: (() => void) | undefined

  constructor(transport: Transport) {
    super()
    this.#transport = transport
    transport.waker = () => this.#wake()
    setImmediate(() => this.#wake())
  }

  #wake(): void {
    const transport = this.#transport
    const batch = this.#batch
    if (this.#unsent.length > 0 && this.#sendUnsent()) this.onDrain()
    for (let count = transport.pollRecv(batch); count > 0; count = transport.pollRecv(batch)) {
      for (let i = 0; i < count; i++) {
        const { chunkIndex, byteLength } = batch[i] as RecvCompletion
        this.onReceive(transport.recvBuf(chunkIndex), 0, byteLength)
        transport.repostRecv(chunkIndex)
      }
    }
    if (transport.recvEnded && transport.state === 'open') {
      this.#closing = true
      transport.finish()
    }
    if (!transport.pollDisconnect()) return
    this.#closed?.()
    if (!this.#closing) this.onFailure(transport.error ?? new Error('the transport closed early'))
  }

  /** @returns whether nothing is left */
  #sendUnsent(): boolean {
    for (let next = this.#unsent[0]; next; next = this.#unsent[0]) {
      const taken = this.#transport.sendCopy(next)
      if (taken === 0) return false
      if (taken < next.byteLength) this.#unsent[0] = next.subarray(taken)
      else this.#unsent.shift()
    }
    return true
  }

  send(payload: Uint8Array): boolean {
    if (this.#unsent.length === 0) {
      const taken = this.#transport.sendCopy(payload)
      if (taken === payload.byteLength) return true
      this.#unsent.push(payload.subarray(taken))
    } else {
      this.#unsent.push(payload)
    }
    return this.#sendUnsent()
  }

  echo(chunk: Uint8Array): void {
    const taken = this.#unsent.length === 0 ? this.#transport.sendCopy(chunk) : 0
    if (taken === chunk.byteLength) return
    // The chunk is given back after this call: what was not taken must be kept.
    this.#unsent.push(Buffer.from(chunk.subarray(taken)))
    this.#sendUnsent()
  }

  close(): Promise<void> {
    this.#closing = true
    return new Promise((resolve) => {
      if (this.#transport.pollDisconnect()) return resolve()
      this.#closed = resolve
      this.#transport.disconnect()
    })
  }
}

export function nettsTransport(builder: TransportBuilder): Wire {
  return {
    async listen({ host, connections }, accept) {
      const listener = await builder.listen({ host, port: 0 }, { backlog: Math.max(511, connections) })
      const accepting = (async () => {
        for await (const transport of listener) accept(new TransportChannel(transport))
      })()
      return {
        endpoints: [listener.address as Endpoint],
        close: async () => {
          await listener.close()
          await accepting
        },
      }
    },
    connect: async (endpoint) => new TransportChannel(await builder.connect(hostAddress(endpoint))),
  }
}
