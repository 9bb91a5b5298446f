/** The client: connects with the driver below, and makes the handshake. */
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { type Address, isPathAddress, type TransportBuilder } from '@netts/core'
import { type EndSignal, invalidArgument } from '@netts/core/driver'
import type { TransportStream } from '@netts/stream'
import type { CheckedCredentials } from './credentials.js'
import { handshakeFailed, toError } from './errors.js'
import type { TlsConfig } from './options.js'
import { TransportOverTls } from './tls-transport.js'
import { createWire } from './wire.js'

/**
 * Refuses an address without a name to verify a certificate against.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a path, without `servername`
 */
export function checkHasName(address: Address, config: TlsConfig): void {
  if (isPathAddress(address) && config.servername === undefined && config.rejectUnauthorized) {
    throw invalidArgument(
      'to connect to a path, set servername in the options of tls(): a path has no name to verify a certificate against',
      'connect',
    )
  }
}

/**
 * Connects and makes the handshake.
 * @param ended cancels both when it fires; the promise is ignored then
 */
export async function connectClient(
  below: TransportBuilder,
  address: Address,
  config: TlsConfig,
  credentials: CheckedCredentials,
  ended: EndSignal,
): Promise<TransportOverTls> {
  const connecting = new AbortController()
  ended.onabort = () => connecting.abort()
  // `ended` is the deadline for both steps.
  const transport = await below.connect(address, { signal: connecting.signal, timeoutMs: 0 })
  if (ended.aborted) transport.destroy()
  ended.throwIfAborted()
  const wire = createWire(transport)
  ended.onabort = () => wire.resetAndDestroy()
  return handshake(wire, address, config, credentials)
}

function handshake(
  wire: TransportStream,
  address: Address,
  config: TlsConfig,
  { context }: CheckedCredentials,
): Promise<TransportOverTls> {
  const { servername, checkServerIdentity, ALPNProtocols, rejectUnauthorized } = config
  const host = isPathAddress(address) ? undefined : address.host
  // An IP address is verified, but must not be sent as a server name (RFC 6066, section 3).
  const asked = servername ?? (host !== undefined && isIP(host) === 0 ? host : undefined)
  return new Promise((resolve, reject) => {
    const socket = connect({
      socket: wire,
      secureContext: context,
      rejectUnauthorized,
      ...(asked !== undefined && { servername: asked }),
      ...(host !== undefined && { host }),
      ...(ALPNProtocols && { ALPNProtocols }),
      ...(checkServerIdentity && { checkServerIdentity: guarded(checkServerIdentity) }),
    })
    const fail = (error: Error) => {
      // Not a reset: the alert that names the reason may not be sent yet.
      socket.destroy()
      reject(handshakeFailed(error, address))
    }
    const onClose = () => fail(Object.assign(new Error('the peer closed it'), { code: 'ECONNRESET' }))
    socket.on('error', fail)
    socket.once('close', onClose)
    socket.once('secureConnect', () => {
      try {
        const transport = new TransportOverTls(socket, wire, config)
        socket.off('error', fail)
        socket.off('close', onClose)
        transport.start()
        resolve(transport)
      } catch (error) {
        fail(toError(error))
      }
    })
  })
}

/** If the program's check throws, the listener is refused, as if the check had returned the error. */
function guarded(
  check: NonNullable<TlsConfig['checkServerIdentity']>,
): NonNullable<TlsConfig['checkServerIdentity']> {
  return (servername, cert) => {
    try {
      return check(servername, cert)
    } catch (error) {
      return toError(error)
    }
  }
}
