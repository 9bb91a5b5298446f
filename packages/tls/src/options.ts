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

/** The certificate and key of this side, and the authorities that it trusts, as in `tls.createSecureContext` of Node.js. */
export interface TlsCredentials {
  /**
   * The certificate of this side in PEM, followed by the intermediate certificates that lead to its authority. Needed to
   * listen, unless there is an `SNICallback`. @default none
   */
  readonly cert?: Pem | readonly Pem[] | undefined
  /** The private key of `cert`, in PEM. @default none */
  readonly key?: Pem | undefined
  /** The passphrase of `key`, if that is encrypted. @default none */
  readonly passphrase?: string | undefined
  /**
   * The authorities that may sign the peer's certificate, in PEM. Needed with `requestCert`, unless `rejectUnauthorized` is
   * `false`. @default the authorities of Node.js
   */
  readonly ca?: Pem | readonly Pem[] | undefined
  /** Lists of revoked certificates, in PEM. @default none */
  readonly crl?: Pem | readonly Pem[] | undefined
}

/** Options of {@link tls}. Options that Node.js has too have the names and meanings of `node:tls`. */
export interface TlsOptions extends TlsCredentials, DuplexLimits {
  /** Whether a listener asks its clients for a certificate, and refuses those without a valid one. @default false */
  readonly requestCert?: boolean | undefined
  /**
   * Whether a peer whose certificate is not valid is refused. With `false`, the peer may be anybody;
   * `transport.tls.authorizationError` then says what is wrong with the certificate. @default true
   */
  readonly rejectUnauthorized?: boolean | undefined
  /**
   * The name that a client asks for (SNI, RFC 6066) and that the certificate of the listener must have. Needed to connect
   * to a path, unless `rejectUnauthorized` is `false`. @default the host of the address
   */
  readonly servername?: string | undefined
  /**
   * Verifies that a listener's certificate belongs to the name: returns an Error if not. What it throws refuses the
   * listener too. @default `tls.checkServerIdentity` of Node.js
   */
  readonly checkServerIdentity?:
    | ((servername: string, cert: PeerCertificate) => Error | undefined)
    | undefined
  /**
   * Chooses the certificate of a listener by the name that a client asks for, as in `tls.createServer`. What it throws, or
   * passes to `done`, refuses the client. The `ca` and `crl` of the returned context decide which clients are valid,
   * instead of those of this listener. With `requestCert`, give `ca` to each context: without it, a certificate from any
   * public authority is valid. @default none
   */
  readonly SNICallback?:
    | ((servername: string, done: (error: Error | null, context?: SecureContext | undefined) => void) => void)
    | undefined
  /**
   * The application protocols of this side (ALPN, RFC 7301), the preferred one first; names of 1 to 255 bytes. A listener
   * refuses a client that has none in common with it. @default none
   */
  readonly ALPNProtocols?: readonly string[] | undefined
  /** The lowest version of TLS. @default 'TLSv1.3' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
  /** The cipher suites, in the notation of OpenSSL. @default those of Node.js */
  readonly ciphers?: string | undefined
  /**
   * How long a client's whole handshake with a listener may take, in milliseconds, 1 to 2^31 - 1. For a client the deadline
   * is `timeoutMs` of `connect`. @default 10000
   */
  readonly handshakeTimeoutMs?: number | undefined
  /**
   * How many handshakes a listener may have in progress, 1 to 2^20; further clients wait in the backlog of the listener
   * below. While that many are in progress, those that have been silent for 500 ms are given up. @default 256
   */
  readonly maxHandshakes?: number | undefined
}

/** Checked options, with all defaults except those that Node.js has. */
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

/** The names of the options that are credentials. */
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

/** The longest delay of setTimeout in Node.js. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/**
 * Checks the options of `tls()`, except the credentials, and fills in the defaults.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown, of the wrong type or out of range
 */
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
  throw invalidArgument(`${name} must be a non-empty string`)
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
    throw invalidArgument('ALPNProtocols must be an array of at least one name; a name has 1 to 255 bytes')
  }
  return [...protocols]
}
