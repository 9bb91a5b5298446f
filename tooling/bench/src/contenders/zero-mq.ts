/** `zeromq`: a pair of Pair sockets for each connection, every send and receive awaited. */
import { context, Pair } from 'zeromq'
import { type Channel, ChannelEvents, type Endpoint, type Wire, type WireOptions } from './contender.js'

class ZeroMqChannel extends ChannelEvents implements Channel {
  readonly #socket: Pair
  readonly #drained = () => this.onDrain()
  readonly #failed = (error: Error) => this.#closing || this.onFailure(error)
  #closing = false
  /** Messages that had to wait for one another: the socket takes one send at a time. */
  #sending: Promise<void> | undefined

  constructor(socket: Pair) {
    super()
    this.#socket = socket
    this.#receive().catch(this.#failed)
  }

  async #receive(): Promise<void> {
    for await (const [message] of this.#socket) {
      if (message) this.onReceive(message, 0, message.length)
    }
  }

  send(payload: Uint8Array): boolean {
    this.#sendWhole(payload).then(this.#drained, this.#failed)
    return false
  }

  async #sendWhole(payload: Uint8Array): Promise<void> {
    for (;;) {
      try {
        return await this.#socket.send(payload)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      }
    }
  }

  echo(message: Uint8Array): void {
    const sent: Promise<void> = (this.#sending ?? Promise.resolve())
      .then(() => this.#sendWhole(message))
      .then(() => {
        if (this.#sending === sent) this.#sending = undefined
      })
    sent.catch(this.#failed)
    this.#sending = sent
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#socket.close()
  }
}

/**
 * A send that waits for room now and then misses its wake-up, and would wait for ever (seen with 6.8.0 on a loaded
 * machine): after this long it fails with EAGAIN, and is tried again.
 */
const SEND_TIMEOUT_MS = 200

/** Its own default, which counts messages whatever their size, and a bound on the memory that makes. */
const HIGH_WATER_MARK = 1000
const QUEUED_BYTES = 64 << 20

function pair({ byteLength }: WireOptions): Pair {
  const highWaterMark = Math.max(1, Math.min(HIGH_WATER_MARK, Math.floor(QUEUED_BYTES / byteLength)))
  return new Pair({
    linger: 0,
    sendTimeout: SEND_TIMEOUT_MS,
    sendHighWaterMark: highWaterMark,
    receiveHighWaterMark: highWaterMark,
  })
}

export function zeroMq(): Wire {
  context.maxSockets = 8192
  return {
    async listen(options, accept) {
      const { host, connections } = options
      const endpoints: Endpoint[] = []
      for (let i = 0; i < connections; i++) {
        const socket = pair(options)
        await socket.bind(`tcp://${host}:*`)
        endpoints.push({ url: socket.lastEndpoint as string })
        accept(new ZeroMqChannel(socket))
      }
      return { endpoints, close: async () => {} }
    },
    async connect(endpoint, options) {
      if (!('url' in endpoint)) throw new Error('not a URL')
      const socket = pair(options)
      socket.connect(endpoint.url)
      return new ZeroMqChannel(socket)
    },
  }
}
