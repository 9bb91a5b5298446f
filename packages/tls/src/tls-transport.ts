/** A transport over TLS: a `TLSSocket` of Node.js over the stream of another transport. */
import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { NettsError, Transport, TransportCapabilities } from '@netts/core'
import { nextTick } from '@netts/core/driver'
import type { TransportStream } from '@netts/stream'
import { DuplexTransport } from '@netts/stream/driver'
import { tlsFailed, truncated } from './errors.js'
import type { TlsConfig } from './options.js'

/** Only the peer can send the end of TLS. If the wire ends without it, that is an error, whatever the wire can report. */
const CAPABILITIES: TransportCapabilities = Object.freeze({ detectsPeerCrash: true, reset: true })

/** The result of a TLS handshake. */
export interface TlsInfo {
  /** The version of TLS: `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string
  /** The cipher suite in the notation of OpenSSL, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string
  /** The peer's certificate; `undefined` when the peer was not asked for one, or had none. */
  readonly peerCertificate: X509Certificate | undefined
  /**
   * Whether the peer's certificate is valid: signed by an authority in `ca`, and on a client, for the name that it asked
   * for. It is `false` on a listener without `requestCert`; otherwise it can be `false` with `rejectUnauthorized: false`
   * only.
   */
  readonly authorized: boolean
  /**
   * Why the certificate is not valid, as a code of OpenSSL or Node.js such as `CERT_HAS_EXPIRED`; `undefined` when it is
   * valid, or the peer was not asked for one.
   */
  readonly authorizationError: string | undefined
  /** The name that the client asked for (SNI); `undefined` when it asked for none. */
  readonly servername: string | undefined
  /** The application protocol that both sides have in common (ALPN); `undefined` without `ALPNProtocols`. */
  readonly alpnProtocol: string | undefined
}

/** A transport over TLS, after its handshake. */
export interface TlsTransport extends Transport {
  /** The result of the handshake: the peer's certificate, the version and the protocol. */
  readonly tls: TlsInfo
}

/**
 * A {@link DuplexTransport} over a TLSSocket. These things are different from other streams:
 *
 * - The wire below may end before TLS has (truncation). Node.js emits a plain `end` for that too; so this class looks which
 *   end comes first. For that, no plaintext may wait in the TLSSocket: it always flows, and the wire is paused instead.
 * - A TLSSocket has no handle of its own: `ref`, `unref` and closing at once are those of the wire.
 */
export class TransportOverTls extends DuplexTransport implements TlsTransport {
  readonly tls: TlsInfo
  readonly #wire: TransportStream
  #hasTlsEnded = false
  #hasWireEnded = false

  /** @param socket past its handshake, over `wire` */
  constructor(socket: TLSSocket, wire: TransportStream, config: TlsConfig) {
    super(socket, wire.transport!, CAPABILITIES, config.limits)
    this.#wire = wire
    this.tls = infoOf(socket)
  }

  override start(): void {
    super.start()
    // This listener runs before that of the TLSSocket, which emits its own `end` for the end of the wire. The next tick
    // comes after an `end` of TLS that is due in this turn, and before the one that the TLSSocket makes of the wire's end.
    this.#wire.prependOnceListener('end', () => nextTick(() => this.#onWireEnd()))
  }

  protected override onEnd(): void {
    if (this.#hasWireEnded) return
    this.#hasTlsEnded = true
    super.onEnd()
  }

  #onWireEnd(): void {
    this.#hasWireEnded = true
    if (this.#hasTlsEnded) return
    // After a disconnect the peer's bytes are discarded anyway.
    if (this.state === 'disconnecting' || this.state === 'closed') this.onPeerEnd()
    else this.onFailure(truncated(this.remoteAddress))
  }

  protected override onError(error: Error): void {
    this.onFailure(tlsFailed(error, this.remoteAddress))
  }

  protected override pauseInput(): void {
    this.#wire.pause()
  }

  protected override resumeInput(): void {
    this.duplex.resume()
    this.#wire.resume()
  }

  protected override cut(error: NettsError): void {
    this.#wire.resetAndDestroy()
    this.duplex.destroy(error)
  }

  override ref(): void {
    this.#wire.ref()
  }

  override unref(): void {
    this.#wire.unref()
  }

  /**
   * The plaintext that was not taken, the ciphertext that the transport below has not accepted, and what that has not
   * delivered. Some bytes are counted twice: a deadline only needs a number that falls with any progress.
   */
  override unacknowledgedBytes(): number | Promise<number> {
    const { bytesWritten, bytesAccepted, transport } = this.#wire
    const here = this.queuedBytes + bytesWritten - bytesAccepted
    const below = transport!.unacknowledgedBytes()
    return typeof below === 'number' ? here + below : below.then((bytes) => here + bytes)
  }
}

function infoOf(socket: TLSSocket): TlsInfo {
  const { authorized, authorizationError, alpnProtocol } = socket
  // On the server's side, older type declarations of Node.js do not have this property.
  const { servername } = socket as { servername?: string | false | null }
  return Object.freeze({
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    peerCertificate: socket.getPeerX509Certificate(),
    authorized,
    authorizationError: authorizationError ? String(authorizationError) : undefined,
    servername: servername || undefined,
    alpnProtocol: alpnProtocol || undefined,
  })
}
