/** Which failures of a wire lead to the next one. */
import type { NettsError, NettsErrorCode } from '../errors.js'

/**
 * Why the next wire is tried: the code of the error. All others end the attempt: a mistake of the program's is one on every
 * wire, and a peer that can't prove who it is, or says what it may not, must not be asked for something weaker.
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

/** Why an error leads to the next wire; `undefined` when it does not. Looks at its causes too, up to ten deep. */
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
