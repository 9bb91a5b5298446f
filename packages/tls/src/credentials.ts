/** The credentials of a builder: checked by making Node's TLS engine read them, and replaceable while it is in use. */
import { createSecureContext, type SecureContext } from 'node:tls'
import { NettsError } from '@netts/core'
import { checkOptionNames, invalidArgument } from '@netts/core/driver'
import { CREDENTIAL_NAMES, type TlsConfig, type TlsCredentials } from './options.js'

/** What `tls.createSecureContext` and `tls.createServer` need of it. */
export interface SecureContextOptions {
  readonly cert?: (string | Buffer)[]
  readonly key?: string | Buffer
  readonly passphrase?: string
  readonly ca?: (string | Buffer)[]
  readonly crl?: (string | Buffer)[]
  readonly ciphers?: string
  readonly minVersion: TlsConfig['minVersion']
}

/** Credentials that were found good: whoever uses them sees by identity when they were replaced. */
export interface CheckedCredentials {
  readonly options: SecureContextOptions
  readonly context: SecureContext
}

/**
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for what is missing, can't be read, or does not fit together; the
 *   cause is the error of OpenSSL
 */
export function checkCredentials(credentials: TlsCredentials, config: TlsConfig): CheckedCredentials {
  const { cert, key, passphrase, ca, crl } = credentials
  if ((cert === undefined) !== (key === undefined)) throw invalidArgument('cert and key go together')
  if (config.requestCert && config.rejectUnauthorized && ca === undefined) {
    throw invalidArgument("requestCert needs ca: the authorities that clients' certificates come from")
  }
  try {
    const options: SecureContextOptions = {
      ...(cert !== undefined && { cert: toList('cert', cert) }),
      ...(key !== undefined && { key: toText('key', key) }),
      ...(passphrase !== undefined && { passphrase: checkPassphrase(passphrase) }),
      ...(ca !== undefined && { ca: toList('ca', ca) }),
      ...(crl !== undefined && { crl: toList('crl', crl) }),
      ...(config.ciphers !== undefined && { ciphers: config.ciphers }),
      minVersion: config.minVersion,
    }
    return { options, context: createSecureContext(options) }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new NettsError('ERR_NETTS_INVALID_ARGUMENT', `the credentials can't be used: ${reason}`, { cause })
  }
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for what are no credentials */
export function checkCredentialNames(credentials: TlsCredentials): TlsCredentials {
  return checkOptionNames('credentials', credentials, CREDENTIAL_NAMES)
}

type Pem = string | Uint8Array

function toList(name: string, value: Pem | readonly Pem[]): (string | Buffer)[] {
  const list: readonly Pem[] = Array.isArray(value) ? value : [value]
  return list.map((pem) => toText(name, pem))
}

// Node.js would refuse another type too, but its error quotes the value: a secret would be in logs.

function toText(name: string, value: Pem): string | Buffer {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value)
  throw new TypeError(`${name} must be PEM, in a string or a Uint8Array`)
}

function checkPassphrase(passphrase: string): string {
  if (typeof passphrase === 'string') return passphrase
  throw new TypeError('passphrase must be a string')
}
