/**
 * `node:http` over any transport: an agent for clients. Servers go by `serve` of `@netts/stream`.
 *
 * @packageDocumentation
 */
import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Transport, TransportBuilder } from '@netts/core'
import { type ConnectorOptions, type ConnectTarget, createConnector } from './connector.js'

/** Options of an agent: those of `http.Agent`, and how it connects. */
export interface TransportAgentOptions extends AgentOptions {
  /** How it connects. @default to the host and port of the request */
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
 * Makes an agent for `http.request`, and for what takes one: axios, got, node-fetch, ws.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 */
export function createHttpAgent<T extends Transport>(
  builder: TransportBuilder<T>,
  options: TransportAgentOptions = {},
): Agent {
  return new TransportAgent(builder, options)
}
