/** A driver for connections within one process, each over a MessageChannel: the builder and the listener. */
import { MessageChannel } from 'node:worker_threads'
import {
  type Address,
  formatAddress,
  type HostAddress,
  isPathAddress,
  NettsError,
  type TransportBuilder,
} from '@netts/core'
import { BaseListener, createBuilder, invalidArgument, KeepAlive } from '@netts/core/driver'
import { ChannelTransport } from './channel-transport.js'

const listeners = new Map<string, ChannelListener>()
const FIRST_PORT = 49_152
let lastPort = FIRST_PORT - 1

/** Makes the builder. It has no options. */
export function channels(): TransportBuilder<ChannelTransport> {
  return createBuilder<ChannelTransport, HostAddress>({
    name: 'channels',
    checkAddress(address: Address, operation) {
      if (isPathAddress(address)) {
        throw invalidArgument('channels need an address with a host and a port, not a path', operation)
      }
      return address
    },
    async connect(remoteAddress, ended) {
      await new Promise((resolve) => setImmediate(resolve))
      ended.throwIfAborted()
      const listener = listeners.get(formatAddress(remoteAddress))
      if (!listener)
        throw failure('ERR_NETTS_CONNECT_FAILED', 'connect', remoteAddress, 'nothing listens there')
      if (!listener.hasRoom)
        throw failure('ERR_NETTS_REJECTED', 'connect', remoteAddress, 'its backlog is full')
      const { port1, port2 } = new MessageChannel()
      const localAddress = freeAddress(remoteAddress.host)
      listener.push(new ChannelTransport(port2, { localAddress: remoteAddress, remoteAddress: localAddress }))
      return new ChannelTransport(port1, { localAddress, remoteAddress })
    },
    async listen(asked, backlog) {
      const address = asked.port === 0 ? freeAddress(asked.host) : asked
      if (listeners.has(formatAddress(address))) {
        throw failure('ERR_NETTS_LISTEN_FAILED', 'listen', address, 'another listener listens there already')
      }
      return new ChannelListener(address, backlog)
    },
  })
}

class ChannelListener extends BaseListener<ChannelTransport> {
  readonly address: HostAddress
  readonly #keepAlive = new KeepAlive()
  #isHeld = false
  #isOpen = true

  constructor(address: HostAddress, backlog: number) {
    super(backlog)
    this.address = address
    listeners.set(formatAddress(address), this)
    this.ref()
  }

  get hasRoom(): boolean {
    return this.queue.hasRoom
  }

  push(transport: ChannelTransport): void {
    this.queue.push(transport)
  }

  protected stop(): void {
    if (!this.#isOpen) return
    this.unref()
    this.#isOpen = false
    listeners.delete(formatAddress(this.address))
  }

  ref(): void {
    if (this.#isHeld || !this.#isOpen) return
    this.#isHeld = true
    this.#keepAlive.hold()
  }

  unref(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#keepAlive.release()
  }
}

/** An address on which nothing listens. */
function freeAddress(host: string): HostAddress {
  do lastPort = lastPort === 65_535 ? FIRST_PORT : lastPort + 1
  while (listeners.has(formatAddress({ host, port: lastPort })))
  return { host, port: lastPort }
}

function failure(
  code: 'ERR_NETTS_CONNECT_FAILED' | 'ERR_NETTS_REJECTED' | 'ERR_NETTS_LISTEN_FAILED',
  operation: string,
  address: HostAddress,
  why: string,
): NettsError {
  return new NettsError(code, `${operation} ${formatAddress(address)}: ${why}`, { operation, address })
}
