/** The `--tls-*` options of a tunnel: TLS on either of its sides, or on both. */
import { readFileSync } from 'node:fs'
import { isNettsError, isPathAddress, type TransportBuilder } from '@netts/core'
import { type TlsOptions, tls } from '@netts/tls'
import { type Command, InvalidArgumentError } from 'commander'
import type { TunnelEndpoint } from './endpoint.js'

/** The options as commander returns them, with the contents of files. */
export interface TunnelTlsArguments {
  readonly tlsListen?: boolean
  readonly tlsTo?: boolean
  readonly tlsCert?: Buffer
  readonly tlsKey?: Buffer
  readonly tlsCa?: Buffer
  readonly tlsRequestCert?: boolean
  readonly tlsServername?: string
}

/** Adds the options to the command. */
export function addTlsOptions(command: Command): Command {
  return command
    .option('--tls-listen', 'TLS 1.3 with the clients of --listen; needs --tls-cert and --tls-key')
    .option('--tls-to', 'TLS 1.3 with --to')
    .option('--tls-cert <file>', 'the certificate of this tunnel, in PEM', contents)
    .option('--tls-key <file>', 'its private key, in PEM', contents)
    .option('--tls-ca <file>', "the authorities that may sign the other end's certificate, in PEM", contents)
    .option('--tls-request-cert', 'with --tls-listen: refuse clients without a certificate from --tls-ca')
    .option(
      '--tls-servername <name>',
      'with --tls-to: the name in its certificate, instead of the host of --to',
    )
}

/**
 * Returns a function for each side that adds TLS to a builder, if that side has TLS.
 *
 * @param refuse ends the command with a message about wrong arguments
 */
export function tunnelTls(
  args: TunnelTlsArguments,
  to: TunnelEndpoint,
  refuse: (why: string) => never,
): Readonly<Record<'listen' | 'to', (builder: TransportBuilder) => TransportBuilder>> {
  const { tlsListen, tlsTo, tlsCert: cert, tlsKey: key, tlsCa: ca, tlsRequestCert, tlsServername } = args
  if (!tlsListen && !tlsTo) {
    const useless = Object.keys(args).filter((name) => name.startsWith('tls'))
    if (useless.length > 0) refuse('--tls-* options need --tls-listen, --tls-to, or both')
  }
  if (tlsListen && (!cert || !key)) refuse('--tls-listen needs --tls-cert and --tls-key')
  if (tlsRequestCert && !(tlsListen && ca)) refuse('--tls-request-cert needs --tls-listen and --tls-ca')
  if (tlsServername !== undefined && !tlsTo) refuse('--tls-servername needs --tls-to')
  if (tlsTo && isPathAddress(to.address) && tlsServername === undefined) {
    refuse(
      '--tls-to needs --tls-servername if --to is a path, which has no name to verify a certificate against',
    )
  }
  const credentials = { cert, key, ca }
  const under = (isOn: boolean | undefined, options: TlsOptions) => (builder: TransportBuilder) => {
    if (!isOn) return builder
    try {
      return tls(builder, options)
    } catch (error) {
      if (isNettsError(error)) refuse(error.message)
      throw error
    }
  }
  return {
    listen: under(tlsListen, { ...credentials, requestCert: tlsRequestCert }),
    to: under(tlsTo, { ...credentials, servername: tlsServername }),
  }
}

/** Reads a file; commander ends the process if it cannot be read. */
function contents(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
