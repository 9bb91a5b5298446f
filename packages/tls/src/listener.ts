/** A listener's side: handshakes with those who connect below, and only then are they accepted. */
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

/** See above. */
export class TlsListener extends BaseListener<TransportOverTls> {
  readonly #below: TransportListener
  readonly #config: TlsConfig
  readonly #credentials: () => CheckedCredentials
  readonly #handshakes: Handshakes
  #server: Server | undefined
  /** What the server was made of. */
  #used: CheckedCredentials | undefined

  /** @param credentials those of the moment: they can be replaced */
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
    // Only then is the address free again. What failed there is told here.
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
      // The alert that says why may be on its way.
      wire.destroy()
      this.onHandshakeError(clientRefused(error, remoteAddress))
    }
    // Node's engine writes one thing at a time, each for a turn or two: an alert that came within that would be lost.
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
        // It is one client's affair, whoever threw.
        fail(toError(error))
      }
    }
    const onSecure = (socket: TLSSocket) => {
      // TLS 1.2 lets a client ask for one handshake after the other; a new one may not even change who it is.
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

  /** One that has the credentials of the moment. A new one resumes no session of the one before. */
  #currentServer(): Server {
    const credentials = this.#credentials()
    if (!this.#server || this.#used !== credentials) {
      const { requestCert, rejectUnauthorized, SNICallback, ALPNProtocols } = this.#config
      this.#used = credentials
      this.#server = createServer({
        ...credentials.options,
        requestCert,
        rejectUnauthorized,
        // A listener has a deadline of its own, for the whole of a handshake.
        handshakeTimeout: 2 ** 31 - 1,
        ...(SNICallback && { SNICallback: guarded(SNICallback) }),
        ...(ALPNProtocols && { ALPNProtocols }),
      })
    }
    return this.#server
  }
}

/**
 * What a program's choice throws refuses the client, also behind an `await`: otherwise the name that a stranger asks for
 * could end the process.
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
 * Gives a stream to a TLS server of Node.js that listens nowhere. What the server tells does not say of which stream, so
 * that each has a server of its own, which inherits everything from the common one.
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
