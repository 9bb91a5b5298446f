/** Translates errors of TLS into NettsErrors. */
import { type Address, formatAddress, isNettsError, NettsError } from '@netts/core'

/** Explanations of the codes of OpenSSL for certificates that are not valid (openssl-verification-options(1)). */
const HINTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate of the peer has expired',
  CERT_NOT_YET_VALID: 'the certificate of the peer is not valid yet; compare the clocks of both hosts',
  CERT_REVOKED: 'the certificate of the peer was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate of the peer is self-signed and not in `ca`',
  SELF_SIGNED_CERT_IN_CHAIN: 'the authority of the peer is not in `ca`',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate of the peer is not signed by an authority in `ca`',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate of the peer is not signed by an authority in `ca`',
  INVALID_PURPOSE: 'the certificate of the peer is not meant for this role (server or client)',
}

/** Codes that mean that the wire ended or failed, not TLS. */
const WIRE_CODES: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE', 'ECANCELED'])

/** A client's handshake failed. */
export function handshakeFailed(cause: Error, address: Address): NettsError {
  if (isWireError(cause)) {
    return new NettsError(
      'ERR_NETTS_CONNECT_FAILED',
      `connect to ${formatAddress(address)} failed: the connection ended during the TLS handshake: ${cause.message}`,
      { cause, operation: 'connect', address },
    )
  }
  return new NettsError(
    'ERR_NETTS_TLS',
    `the TLS handshake with ${formatAddress(address)} failed: ${describe(cause)}`,
    { cause, operation: 'connect', address },
  )
}

/** The handshake of a client with this listener failed. */
export function clientRefused(cause: Error, address: Address): NettsError {
  return new NettsError(
    'ERR_NETTS_TLS',
    `the TLS handshake of ${formatAddress(address)} failed: ${describe(cause)}`,
    { cause, operation: 'accept', address },
  )
}

/** The error that failed a connection after its handshake. */
export function tlsFailed(cause: Error, address: Address): NettsError {
  if (isNettsError(cause)) return cause
  const peer = formatAddress(address)
  return isWireError(cause)
    ? new NettsError('ERR_NETTS_RESET', `the connection with ${peer} was reset: ${cause.message}`, {
        cause,
        address,
      })
    : new NettsError('ERR_NETTS_TLS', `TLS with ${peer} failed: ${describe(cause)}`, { cause, address })
}

/** The wire ended and TLS had not: an attacker may have cut off bytes of the peer (RFC 8446, section 6.1). */
export function truncated(address: Address): NettsError {
  return new NettsError(
    'ERR_NETTS_RESET',
    `the connection with ${formatAddress(address)} ended without close_notify, the end of TLS; bytes may be missing`,
    { address },
  )
}

/** The error of a listener without a certificate. */
export function noCertificate(address: Address): NettsError {
  return new NettsError('ERR_NETTS_INVALID_ARGUMENT', 'to listen, tls() needs cert and key', {
    operation: 'listen',
    address,
  })
}

/** What the program threw, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function isWireError(error: Error): boolean {
  return isNettsError(error) || WIRE_CODES.has((error as NodeJS.ErrnoException).code)
}

function describe(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  const hint = code === undefined ? undefined : HINTS[code]
  // Messages of OpenSSL end with a line break.
  return hint ? `${hint} (${code})` : error.message.trimEnd()
}
