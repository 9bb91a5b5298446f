/** Answers calls on every connection of a listener. It can drain: calls in progress are answered, new ones refused. */
import { type Address, type Connection, listen, type TransportBuilder } from '@netts/core'
import { type CallMessage, type CancelMessage, decode, encode } from './protocol.js'

/** Implements a method. The signal fires when the caller cancels the call, or its deadline passes. */
export type Handler = (argument: unknown, signal: AbortSignal) => unknown

/** A service that listens. */
export interface Service {
  readonly address: Address
  /**
   * Stops listening, answers the calls in progress, refuses new ones, and closes every connection.
   * @param deadlineMs after how long connections are closed although calls are in progress, in milliseconds
   */
  drain(deadlineMs: number): Promise<void>
}

/** How many calls of one connection run at the same time. At the limit it is not read, so that its peer has to wait. */
const MAX_CALLS = 100

/** Listens for callers. */
export async function startService(
  builder: TransportBuilder,
  address: Address,
  methods: Readonly<Record<string, Handler>>,
): Promise<Service> {
  // Answers may be sent after the loop over the messages, so it must not finish this side at the caller's end.
  const server = await listen(builder, address, { allowHalfOpen: true })
  const sessions = new Set<Session>()
  const accept = async () => {
    for await (const connection of server) {
      const session = new Session(connection, methods)
      sessions.add(session)
      void session.run().finally(() => sessions.delete(session))
    }
  }
  accept().catch((error) => console.error('accept failed', error))
  return {
    address: server.address,
    async drain(deadlineMs) {
      for (const session of sessions) void session.drain()
      await server.close({ drain: true, deadlineMs })
    },
  }
}

/** One connection. */
class Session {
  readonly #connection: Connection
  readonly #methods: Readonly<Record<string, Handler>>
  readonly #running = new Map<number, { readonly abort: AbortController; readonly done: Promise<void> }>()
  #isDraining = false

  constructor(connection: Connection, methods: Readonly<Record<string, Handler>>) {
    this.#connection = connection
    this.#methods = methods
  }

  async run(): Promise<void> {
    try {
      for await (const bytes of this.#connection) {
        const message = decode<CallMessage | CancelMessage>(bytes)
        if ('cancel' in message) this.#running.get(message.id)?.abort.abort()
        else this.#start(message)
        if (this.#running.size >= MAX_CALLS)
          await Promise.race([...this.#running.values()].map(({ done }) => done))
      }
      await this.drain()
    } catch (error) {
      // The connection failed, or its peer does not use this protocol: cancel the calls in progress.
      for (const { abort } of this.#running.values()) abort.abort()
      this.#connection.destroy(error)
    }
  }

  async drain(): Promise<void> {
    this.#isDraining = true
    await Promise.all([...this.#running.values()].map(({ done }) => done))
    await this.#connection.close()
  }

  #start(call: CallMessage): void {
    const abort = new AbortController()
    const done = this.#answer(call, abort).catch(() => {
      // The answer could not be sent: `run` handles the error that ended the connection.
    })
    this.#running.set(call.id, { abort, done })
    void done.finally(() => this.#running.delete(call.id))
  }

  async #answer({ id, method, argument, timeoutMs }: CallMessage, abort: AbortController): Promise<void> {
    const timer = setTimeout(() => abort.abort(), timeoutMs)
    try {
      const handler = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined
      if (this.#isDraining) throw new Error('the service is draining')
      if (!handler) throw new Error(`there is no method ${JSON.stringify(method)}`)
      const result = await handler(argument, abort.signal)
      await this.#connection.send(encode({ id, result }))
    } catch (error) {
      if (!abort.signal.aborted) await this.#connection.send(encode({ id, error: String(error) }))
    } finally {
      clearTimeout(timer)
    }
  }
}
