/** The options of `tls()`, their defaults and their checks. */
import type { PeerCertificate, SecureContext, SecureVersion } from 'node:tls'
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkOptionNames,
  invalidArgument,
} from '@netts/core/driver'
import {
  checkDuplexLimits,
  DUPLEX_LIMIT_NAMES,
  type DuplexConfig,
  type DuplexLimits,
} from '@netts/stream/driver'

type Pem = string | Uint8Array

/** Who this side is, and whom it trusts: as in `tls.createSecureContext` of Node.js. */
export interface TlsCredentials {
  /** The certificate of this side in PEM, with those that lead to its authority behind it. Listening needs one. */
  readonly cert?: Pem | readonly Pem[] | undefined
  /** The private key of `cert`, in PEM. */
  readonly key?: Pem | undefined
  /** What the key is encrypted with. */
  readonly passphrase?: string | undefined
  /**
   * The authorities that the peer's certificate must come from, in PEM. Needed for `requestCert`.
   * @default those that come with Node.js, to connect
   */
  readonly ca?: Pem | readonly Pem[] | undefined
  /** Lists of revoked certificates, in PEM. */
  readonly crl?: Pem | readonly Pem[] | undefined
}

/** Options of {@link tls}. Names and meanings that Node.js has too are those of Node.js. */
export interface TlsOptions extends TlsCredentials, DuplexLimits {
  /** A listener asks its clients for a certificate, and refuses those without a valid one. @default false */
  readonly requestCert?: boolean | undefined
  /**
   * Whether a peer whose certificate is not valid is refused. Without it, anybody may be at the other end, and
   * `transport.tls.authorizationError` says what was wrong. @default true
   */
  readonly rejectUnauthorized?: boolean | undefined
  /**
   * The name that a client asks for (SNI) and that the certificate of the listener must have. Needed to connect to a
   * path. @default the host of the address
   */
  readonly servername?: string | undefined
  /** Checks the name in a listener's certificate instead of `tls.checkServerIdentity` of Node.js. */
  readonly checkServerIdentity?:
    | ((servername: string, cert: PeerCertificate) => Error | undefined)
    | undefined
  /**
   * A listener chooses its certificate by the name that a client asks for: as in `tls.createServer`. The `ca` and `crl`
   * of the context that it gives decide which clients are valid, instead of those of this listener. Give `ca` to each
   * context with `requestCert`: without it, a certificate from any public authority is valid.
   */
  readonly SNICallback?:
    | ((servername: string, done: (error: Error | null, context?: SecureContext | undefined) => void) => void)
    | undefined
  /** The application protocols that this side speaks, the preferred one first. One must be common to both. @default none */
  readonly ALPNProtocols?: readonly string[] | undefined
  /** The lowest version that is spoken. @default 'TLSv1.3' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
  /** The cipher suites, in the notation of OpenSSL. @default those of Node.js */
  readonly ciphers?: string | undefined
  /**
   * How long a listener waits for a client's handshake as a whole, in milliseconds. A client has the deadline of
   * `connect`. 1 to 2^31 - 1. @default 10000
   */
  readonly handshakeTimeoutMs?: number | undefined
  /**
   * How many handshakes a listener has under way; further clients wait in the backlog of the listener below. While so
   * many are, those that have been silent for half a second are given up. At least 1. @default 256
   */
  readonly maxHandshakes?: number | undefined
}

/** Checked options, complete but for what Node.js has defaults for. */
export interface TlsConfig {
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
  readonly servername: string | undefined
  readonly checkServerIdentity: TlsOptions['checkServerIdentity']
  readonly SNICallback: TlsOptions['SNICallback']
  readonly ALPNProtocols: string[] | undefined
  readonly minVersion: SecureVersion
  readonly ciphers: string | undefined
  readonly handshakeTimeoutMs: number
  readonly maxHandshakes: number
  readonly limits: DuplexConfig
}

/** What the credentials among the options are called. */
export const CREDENTIAL_NAMES: readonly (keyof TlsCredentials)[] = ['cert', 'key', 'passphrase', 'ca', 'crl']

const OPTION_NAMES: readonly string[] = [
  ...CREDENTIAL_NAMES,
  ...DUPLEX_LIMIT_NAMES,
  'requestCert',
  'rejectUnauthorized',
  'servername',
  'checkServerIdentity',
  'SNICallback',
  'ALPNProtocols',
  'minVersion',
  'ciphers',
  'handshakeTimeoutMs',
  'maxHandshakes',
] satisfies (keyof TlsOptions)[]

/** The longest that a timer can wait. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option of the wrong type or out of range */
export function checkOptions(options: TlsOptions): TlsConfig {
  const {
    requestCert = false,
    rejectUnauthorized = true,
    servername,
    checkServerIdentity,
    SNICallback,
    ALPNProtocols,
    minVersion = 'TLSv1.3',
    ciphers,
    handshakeTimeoutMs = 10_000,
    maxHandshakes = 256,
  } = checkOptionNames('options', options, OPTION_NAMES)
  return Object.freeze({
    requestCert: checkBoolean('requestCert', requestCert),
    rejectUnauthorized: checkBoolean('rejectUnauthorized', rejectUnauthorized),
    servername: checkText('servername', servername),
    checkServerIdentity: checkFunction('checkServerIdentity', checkServerIdentity),
    SNICallback: checkFunction('SNICallback', SNICallback),
    ALPNProtocols: checkProtocols(ALPNProtocols),
    minVersion: checkChoice('minVersion', minVersion, ['TLSv1.2', 'TLSv1.3']),
    ciphers: checkText('ciphers', ciphers),
    handshakeTimeoutMs: checkInteger('handshakeTimeoutMs', handshakeTimeoutMs, 1, MAX_TIMEOUT_MS),
    maxHandshakes: checkInteger('maxHandshakes', maxHandshakes, 1, 2 ** 20),
    limits: checkDuplexLimits(options),
  })
}

function checkText(name: string, value: string | undefined): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value
  throw invalidArgument(`${name} must be a string that is not empty`)
}

function checkFunction<F>(name: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === 'function') return value
  throw invalidArgument(`${name} must be a function`)
}

function checkProtocols(protocols: readonly string[] | undefined): string[] | undefined {
  if (protocols === undefined) return undefined
  // The length of a name is one byte on the wire (RFC 7301, section 3.1).
  const isName = (name: unknown) => typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= 255
  if (!Array.isArray(protocols) || protocols.length === 0 || !protocols.every(isName)) {
    throw invalidArgument(
      'ALPNProtocols must be an array of names of 1 to 255 bytes, with one of them at least',
    )
  }
  return [...protocols]
}
