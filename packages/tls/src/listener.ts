/** The listener: makes the handshake with each client that the listener below accepts, and then hands it out. */
import type { Duplex } from 'node:stream'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { type Address, isNettsError, NettsError, type Transport, type TransportListener } from '@netts/core'
import { afterPendingInput, BaseListener, backgroundClock } from '@netts/core/driver'
import type { CheckedCredentials } from './credentials.js'
import { clientRefused, toError } from './errors.js'
import { type Handshake, Handshakes } from './handshakes.js'
import type { TlsConfig } from './options.js'
import { TransportOverTls } from './tls-transport.js'
import { createWire } from './wire.js'

/** A listener of TLS over a listener of another driver. */
export class TlsListener extends BaseListener<TransportOverTls> {
  readonly #below: TransportListener
  readonly #config: TlsConfig
  readonly #credentials: () => CheckedCredentials
  readonly #handshakes: Handshakes
  #server: Server | undefined
  /** The credentials that the server was made with. */
  #used: CheckedCredentials | undefined

  /** @param credentials returns the current credentials; they can be replaced */
  constructor(
    below: TransportListener,
    backlog: number,
    config: TlsConfig,
    credentials: () => CheckedCredentials,
  ) {
    super(backlog)
    this.#below = below
    this.#config = config
    this.#credentials = credentials
    this.#handshakes = new Handshakes(config.maxHandshakes, config.handshakeTimeoutMs)
    void this.#acceptAll()
  }

  get address(): Address {
    return this.#below.address
  }

  ref(): void {
    this.#below.ref()
  }

  unref(): void {
    this.#below.unref()
  }

  protected stop(): void {
    this.#below.close().catch(() => {})
    this.#handshakes.giveUpAll('the listener was closed')
  }

  override async close(): Promise<void> {
    await super.close()
    // The address is free again when this has resolved. It rejects with the error of the driver below.
    await this.#below.close()
  }

  async #acceptAll(): Promise<void> {
    try {
      for (;;) {
        await this.#handshakes.room()
        const transport = await this.#below.accept()
        if (!transport) return
        if (this.queue.hasRoom) this.#begin(transport)
        else transport.destroy()
      }
    } catch (error) {
      const cause = isNettsError(error)
        ? error
        : new NettsError('ERR_NETTS_INTERNAL', 'a driver threw while it accepted', { cause: error })
      this.queue.fail(cause)
    }
  }

  #begin(transport: Transport): void {
    const { remoteAddress } = transport
    const wire = createWire(transport)
    const handshake: Handshake = {
      get bytesRead() {
        return wire.bytesRead
      },
      giveUp(reason) {
        wire.resetAndDestroy()
        fail(new Error(reason))
      },
    }
    let isOver = false
    const end = () => {
      isOver = true
      wire.off('data', breathe)
      wire.off('end', onEnd)
      wire.off('close', onEnd)
      this.#handshakes.delete(handshake)
    }
    const fail = (error: Error) => {
      if (isOver) return
      end()
      // Not a reset: the alert that names the reason may not be sent yet.
      wire.destroy()
      this.onHandshakeError(clientRefused(error, remoteAddress))
    }
    // The engine of Node.js loses an alert that is due while an earlier write is in progress, which takes a turn or two.
    const breathe = () => {
      if (isOver) return
      wire.pause()
      afterPendingInput(backgroundClock, () => {
        if (!isOver) wire.resume()
      })
    }
    const onEnd = () => fail(new Error('the client ended the connection'))
    wire.on('error', () => {})
    wire.once('end', onEnd)
    wire.once('close', onEnd)
    this.#handshakes.add(handshake)
    const attempt = (step: () => void) => {
      try {
        step()
      } catch (error) {
        // Whatever threw, only this client fails.
        fail(toError(error))
      }
    }
    const onSecure = (socket: TLSSocket) => {
      // TLS 1.2 lets a client renegotiate as often as it wants, and even change its certificate.
      socket.disableRenegotiation()
      const secured = new TransportOverTls(socket, wire, this.#config)
      end()
      secured.start()
      if (!this.queue.push(secured)) secured.destroy()
    }
    attempt(() => {
      negotiate(this.#currentServer(), wire, {
        onSecure: (socket) => {
          if (!isOver) attempt(() => onSecure(socket))
        },
        onFailure: fail,
      })
      wire.on('data', breathe)
    })
  }

  /** The server with the current credentials. A new server resumes no sessions of the one before. */
  #currentServer(): Server {
    const credentials = this.#credentials()
    if (!this.#server || this.#used !== credentials) {
      const { requestCert, rejectUnauthorized, SNICallback, ALPNProtocols } = this.#config
      this.#used = credentials
      this.#server = createServer({
        ...credentials.options,
        requestCert,
        rejectUnauthorized,
        // {@link Handshakes} has the deadline.
        handshakeTimeout: 2 ** 31 - 1,
        ...(SNICallback && { SNICallback: guarded(SNICallback) }),
        ...(ALPNProtocols && { ALPNProtocols }),
      })
    }
    return this.#server
  }
}

/**
 * If the program's SNICallback throws or rejects, the client is refused. Otherwise the name that a stranger asks for could
 * end the process.
 */
function guarded(choose: NonNullable<TlsConfig['SNICallback']>): NonNullable<TlsConfig['SNICallback']> {
  return async (servername, done) => {
    try {
      await choose(servername, done)
    } catch (error) {
      done(toError(error))
    }
  }
}

interface Negotiation {
  onSecure(socket: TLSSocket): void
  onFailure(error: Error): void
}

/**
 * Gives a stream to a TLS server of Node.js that does not listen. The events of a server do not say which stream they are
 * about; so each stream has a server object of its own, which inherits everything from the common one.
 */
function negotiate(server: Server, wire: Duplex, { onSecure, onFailure }: Negotiation): void {
  const own: Server = Object.create(server)
  own.emit = (event: string | symbol, ...values: unknown[]) => {
    if (event === 'secureConnection') onSecure(values[0] as TLSSocket)
    else if (event === 'tlsClientError') onFailure(values[0] as Error)
    return true
  }
  Reflect.apply(server.emit, own, ['connection', wire])
}
