/** A transport over TLS: `TLSSocket` of Node.js over the stream of another transport. */
import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { NettsError, Transport, TransportCapabilities } from '@netts/core'
import { nextTick } from '@netts/core/driver'
import type { TransportStream } from '@netts/stream'
import { DuplexTransport } from '@netts/stream/driver'
import { tlsFailed, truncated } from './errors.js'
import type { TlsConfig } from './options.js'

/** A wire that is gone shows as truncation, whatever it can say itself: nobody but the peer can say the end of TLS. */
const CAPABILITIES: TransportCapabilities = Object.freeze({ detectsPeerCrash: true, reset: true })

/** What was agreed on in a handshake, and with whom. */
export interface TlsInfo {
  /** Such as `TLSv1.3`. */
  readonly protocol: string
  /** The cipher suite in the notation of OpenSSL, such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string
  /** The certificate that the peer has proved to own; `undefined` when it was not asked for one, or had none. */
  readonly peerCertificate: X509Certificate | undefined
  /** Whether that certificate is valid: it comes from one of `ca`, and to a client, has the name it asked for. */
  readonly authorized: boolean
  /** Why not, as a code of OpenSSL or Node.js; `undefined` when it is, or when none was asked for. */
  readonly authorizationError: string | undefined
  /** The name that the client asked for. */
  readonly servername: string | undefined
  /** The application protocol that both speak; `undefined` when there was no `ALPNProtocols`. */
  readonly alpnProtocol: string | undefined
}

/** A transport over TLS. */
export interface TlsTransport extends Transport {
  readonly tls: TlsInfo
}

/**
 * See {@link DuplexTransport}. What is different about a Duplex that is a TLSSocket:
 *
 * - The wire below may end before TLS has (truncation). Node.js reports a plain `end` for that too, so that this looks
 *   which end comes first. For that to be right, no plaintext may wait in the TLSSocket: it always flows, and what is
 *   paused is the wire.
 * - It has no handle of its own: what concerns the process, and closing at once, are the wire's.
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
    // Before the listener by which the wire's end becomes one of TLS, so that its own end, which may be due in this very
    // turn, comes before this looks, and that other one behind it.
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
    // What a peer says after a disconnect is discarded anyhow.
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
   * Besides the plaintext that was not taken: what the wire below has not accepted, and what it has not delivered. Some
   * is counted twice, as what a deadline needs is a number that falls with any progress.
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
  // Of a server's side, only the field of the same name in newer declarations of types.
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
