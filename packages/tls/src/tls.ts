/** The builder: another builder and its TLS configuration in, connections and listeners out. */
import type { TransportBuilder } from '@netts/core'
import { createBuilder } from '@netts/core/driver'
import { checkBuilder } from '@netts/core/lifecycle'
import { checkHasName, connectClient } from './client.js'
import { checkCredentialNames, checkCredentials } from './credentials.js'
import { noCertificate } from './errors.js'
import { TlsListener } from './listener.js'
import { checkOptions, type TlsCredentials, type TlsOptions } from './options.js'
import type { TlsTransport } from './tls-transport.js'

/** A driver whose wire is another driver's under TLS. */
export interface TlsBuilder extends TransportBuilder<TlsTransport> {
  /**
   * Replaces the credentials: certificates run out while programs run. Handshakes that begin from here on use them,
   * those of listeners that are open already too. Connections live on as they are.
   *
   * @param credentials all of them: what is left out is not kept
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for what can't be used; those before then stay in use
   */
  setCredentials(credentials: TlsCredentials): void
}

/**
 * Transports under TLS, over those of another builder. Connections, streams and pools run over it unchanged.
 *
 * A client's `connect` resolves once it has verified the listener, and a listener's `accept` hands out clients that it
 * has verified. With TLS 1.3 a client is done before the listener has looked at its certificate: when that is refused,
 * the client's transport fails behind `connect`. Besides the codes of every builder, `connect` rejects with
 * `ERR_NETTS_TLS` for a handshake that failed; the cause is the error of Node.js.
 *
 * @param builder the wire below, such as `tcp()`
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for no builder, an unknown option, one of the wrong type or out of
 *   range, and credentials that can't be used
 */
export function tls(builder: TransportBuilder, options: TlsOptions = {}): TlsBuilder {
  checkBuilder(builder)
  const config = checkOptions(options)
  let credentials = checkCredentials(options, config)
  const built = createBuilder<TlsTransport>({
    name: `tls(${builder.name})`,
    connect: async (address, ended) => {
      checkHasName(address, config)
      return connectClient(builder, address, config, credentials, ended)
    },
    listen: async (address, backlog) => {
      if (!credentials.options.cert && !config.SNICallback) throw noCertificate(address)
      return new TlsListener(await builder.listen(address, { backlog }), backlog, config, () => credentials)
    },
  })
  return Object.freeze({
    ...built,
    setCredentials(next: TlsCredentials) {
      credentials = checkCredentials(checkCredentialNames(next), config)
    },
  })
}
