/** The credentials of a builder. The TLS engine of Node.js reads them when they are checked. They can be replaced. */
import { createSecureContext, type SecureContext } from 'node:tls'
import { NettsError } from '@netts/core'
import { checkOptionNames, invalidArgument } from '@netts/core/driver'
import { CREDENTIAL_NAMES, type TlsConfig, type TlsCredentials } from './options.js'

/** The options for `tls.createSecureContext` and `tls.createServer`. */
export interface SecureContextOptions {
  readonly cert?: (string | Buffer)[]
  readonly key?: string | Buffer
  readonly passphrase?: string
  readonly ca?: (string | Buffer)[]
  readonly crl?: (string | Buffer)[]
  readonly ciphers?: string
  readonly minVersion: TlsConfig['minVersion']
}

/** Checked credentials. A user of them compares the object to see whether they were replaced. */
export interface CheckedCredentials {
  readonly options: SecureContextOptions
  readonly context: SecureContext
}

/**
 * Checks credentials by making a secure context of them.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for credentials that are missing, cannot be read, or do not belong
 *   together; the cause is the error of OpenSSL
 */
export function checkCredentials(credentials: TlsCredentials, config: TlsConfig): CheckedCredentials {
  const { cert, key, passphrase, ca, crl } = credentials
  if ((cert === undefined) !== (key === undefined)) {
    throw invalidArgument('cert and key must be given together')
  }
  if (config.requestCert && config.rejectUnauthorized && ca === undefined) {
    throw invalidArgument('requestCert needs ca: the authorities that may sign the certificates of clients')
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
    throw new NettsError('ERR_NETTS_INVALID_ARGUMENT', `the credentials cannot be used: ${reason}`, { cause })
  }
}

/**
 * Checks that an object has no properties but those of credentials.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise
 */
export function checkCredentialNames(credentials: TlsCredentials): TlsCredentials {
  return checkOptionNames('credentials', credentials, CREDENTIAL_NAMES)
}

type Pem = string | Uint8Array

function toList(name: string, value: Pem | readonly Pem[]): (string | Buffer)[] {
  const list: readonly Pem[] = Array.isArray(value) ? value : [value]
  return list.map((pem) => toText(name, pem))
}

// Node.js refuses other types too, but its error quotes the value: a secret could get into logs.

function toText(name: string, value: Pem): string | Buffer {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value)
  throw new TypeError(`${name} must be PEM, in a string or a Uint8Array`)
}

function checkPassphrase(passphrase: string): string {
  if (typeof passphrase === 'string') return passphrase
  throw new TypeError('passphrase must be a string')
}
