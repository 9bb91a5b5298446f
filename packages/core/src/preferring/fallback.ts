/** Which errors of a wire lead to the next one. */
import type { NettsError, NettsErrorCode } from '../errors.js'

/**
 * The codes of errors after which {@link preferring} tries the next wire. All other errors end the attempt: a wrong argument
 * is wrong on every wire, and after a certificate or protocol error a weaker wire must not be tried.
 */
export type FallbackReason = Extract<
  NettsErrorCode,
  | 'ERR_NETTS_CONNECT_FAILED'
  | 'ERR_NETTS_PEER_LOST'
  | 'ERR_NETTS_POOL_EXHAUSTED'
  | 'ERR_NETTS_REJECTED'
  | 'ERR_NETTS_RESET'
  | 'ERR_NETTS_TIMEOUT'
  | 'ERR_NETTS_UNAVAILABLE'
  | 'ERR_NETTS_UNSUPPORTED'
  | 'ERR_NETTS_VERBS'
>

const REASONS: ReadonlySet<string> = new Set<FallbackReason>([
  'ERR_NETTS_CONNECT_FAILED',
  'ERR_NETTS_PEER_LOST',
  'ERR_NETTS_POOL_EXHAUSTED',
  'ERR_NETTS_REJECTED',
  'ERR_NETTS_RESET',
  'ERR_NETTS_TIMEOUT',
  'ERR_NETTS_UNAVAILABLE',
  'ERR_NETTS_UNSUPPORTED',
  'ERR_NETTS_VERBS',
])

/**
 * Codes of Node.js and OpenSSL for certificates and TLS: `ERR_TLS_CERT_ALTNAME_INVALID`, `CERT_HAS_EXPIRED`,
 * `DEPTH_ZERO_SELF_SIGNED_CERT`, `UNABLE_TO_VERIFY_LEAF_SIGNATURE` and their like, as node:tls documents them.
 */
const IDENTITY =
  /CERT|CRL|^ERR_TLS_|^ERR_SSL_|^ERR_OSSL_|^HOSTNAME_MISMATCH$|^INVALID_CA$|^INVALID_PURPOSE$|^PATH_LENGTH|_SIGNATURE/

/**
 * The code of an error that leads to the next wire; `undefined` for other errors, and for those with a certificate or TLS
 * error among their causes. Follows the chain of `cause`, up to ten errors.
 */
export function fallbackReason(error: NettsError): FallbackReason | undefined {
  if (!REASONS.has(error.code)) return undefined
  let cause: unknown = error.cause
  for (let depth = 0; depth < 10 && typeof cause === 'object' && cause !== null; depth++) {
    const { code } = cause as { code?: unknown }
    if (typeof code === 'string' && IDENTITY.test(code)) return undefined
    cause = (cause as { cause?: unknown }).cause
  }
  return error.code as FallbackReason
}
