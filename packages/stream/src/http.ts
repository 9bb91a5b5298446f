/**
 * `node:http` over any transport: an agent for clients. For servers there is `serve` of `@netts/stream`.
 *
 * @packageDocumentation
 */
import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Transport, TransportBuilder } from '@netts/core'
import { type ConnectorOptions, type ConnectTarget, createConnector } from './connector.js'

/** Options of {@link createHttpAgent}: those of `http.Agent`, and how it connects. */
export interface TransportAgentOptions extends AgentOptions {
  /** The address and the options of its streams. @default the host and port of each request, with default options */
  readonly connection?: ConnectorOptions | undefined
}

class TransportAgent extends Agent {
  readonly #connect: (target: ConnectTarget) => Duplex

  constructor(builder: TransportBuilder, { connection, ...options }: TransportAgentOptions) {
    super(options)
    this.#connect = createConnector(builder, connection)
  }

  override createConnection(target: ClientRequestArgs): Duplex {
    return this.#connect(target)
  }
}

/**
 * Makes an `http.Agent` that connects with a driver. It is for `http.request`, and for clients that take an agent: axios,
 * got, node-fetch, ws. A request whose connection fails emits `error` with a NettsError.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 */
export function createHttpAgent<T extends Transport>(
  builder: TransportBuilder<T>,
  options: TransportAgentOptions = {},
): Agent {
  return new TransportAgent(builder, options)
}
