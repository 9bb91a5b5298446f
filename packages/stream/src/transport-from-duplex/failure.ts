/** Translates the errors of a Duplex into NettsErrors. */
import { type Address, formatAddress, isNettsError, NettsError } from '@netts/core'

/** Codes of errors (errno(3)) that mean that the peer does not answer. */
const SILENCE: ReadonlySet<unknown> = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
])

/** The error of a transport whose Duplex failed; a NettsError is returned as it is. */
export function duplexFailed(cause: Error, remoteAddress: Address): NettsError {
  if (isNettsError(cause)) return cause
  const isSilent = SILENCE.has((cause as NodeJS.ErrnoException).code)
  const peer = formatAddress(remoteAddress)
  return new NettsError(
    isSilent ? 'ERR_NETTS_PEER_LOST' : 'ERR_NETTS_RESET',
    isSilent
      ? `the peer ${peer} stopped answering: ${cause.message}`
      : `the connection with ${peer} failed: ${cause.message}`,
    { cause, address: remoteAddress },
  )
}

/** The error of a transport whose Duplex closed before both of its sides had ended. */
export function duplexClosed(remoteAddress: Address): NettsError {
  return new NettsError(
    'ERR_NETTS_RESET',
    `the connection with ${formatAddress(remoteAddress)} was closed before both sides had ended`,
    { address: remoteAddress },
  )
}
