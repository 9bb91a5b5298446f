/** What went wrong with TLS, in terms of netts: a code to branch on, a message to act on. */
import { type Address, formatAddress, isNettsError, NettsError } from '@netts/core'

/** What is behind the codes of certificates that were not valid, in words that say what to do. */
const HINTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate of the peer has expired',
  CERT_NOT_YET_VALID: 'the certificate of the peer is not valid yet; compare the clocks of both hosts',
  CERT_REVOKED: 'the certificate of the peer was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate of the peer is signed by itself, and not among `ca`',
  SELF_SIGNED_CERT_IN_CHAIN: 'the authority of the peer is none of `ca`',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate of the peer comes from none of `ca`',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate of the peer comes from none of `ca`',
  INVALID_PURPOSE: 'the certificate of the peer is not meant for this role',
}

/** Codes that mean that the wire ended or failed, whatever TLS thought of it. */
const WIRE_CODES: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE', 'ECANCELED'])

/** A client's handshake failed. */
export function handshakeFailed(cause: Error, address: Address): NettsError {
  if (isWireError(cause)) {
    return new NettsError(
      'ERR_NETTS_CONNECT_FAILED',
      `connect to ${formatAddress(address)} failed: the connection ended within the TLS handshake: ${cause.message}`,
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

/** What failed a connection after its handshake. */
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

/** The wire ended, and TLS had not: somebody may have cut off what the peer wanted to say. */
export function truncated(address: Address): NettsError {
  return new NettsError(
    'ERR_NETTS_RESET',
    `the connection with ${formatAddress(address)} ended without the end that TLS says (close_notify)`,
    { address },
  )
}

/** A listener without a certificate. */
export function noCertificate(address: Address): NettsError {
  return new NettsError('ERR_NETTS_INVALID_ARGUMENT', 'to listen, tls() needs cert and key', {
    operation: 'listen',
    address,
  })
}

/** What a program threw, as an error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function isWireError(error: Error): boolean {
  return isNettsError(error) || WIRE_CODES.has((error as NodeJS.ErrnoException).code)
}

function describe(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  const hint = code === undefined ? undefined : HINTS[code]
  // What OpenSSL says ends with a line break.
  return hint ? `${hint} (${code})` : error.message.trimEnd()
}
