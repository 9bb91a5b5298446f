/** The builder of TLS over another builder. */
import type { TransportBuilder } from '@netts/core'
import { createBuilder } from '@netts/core/driver'
import { checkBuilder } from '@netts/core/lifecycle'
import { checkHasName, connectClient } from './client.js'
import { checkCredentialNames, checkCredentials } from './credentials.js'
import { noCertificate } from './errors.js'
import { TlsListener } from './listener.js'
import { checkOptions, type TlsCredentials, type TlsOptions } from './options.js'
import type { TlsTransport } from './tls-transport.js'

/** A builder of transports with TLS over another driver. Its `name` is `tls(…)` around that of the driver, such as `tls(tcp)`. */
export interface TlsBuilder extends TransportBuilder<TlsTransport> {
  /**
   * Replaces the credentials, for example before a certificate expires. Handshakes that begin afterwards use them, also
   * those of listeners that are open. Open connections are not affected.
   *
   * @param credentials the complete new credentials: an option that is left out is not kept
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for credentials that cannot be used; the old ones then stay in use
   */
  setCredentials(credentials: TlsCredentials): void
}

/**
 * Makes a builder of transports with TLS, over those of another builder. Connections, streams and pools run over it
 * unchanged.
 *
 * `connect` resolves when the client has verified the listener. In addition to the codes of every builder it rejects with
 * `ERR_NETTS_TLS` when the handshake failed; the cause is the error of Node.js. `accept` returns clients that the listener
 * has verified. In TLS 1.3 the handshake of a client is complete before the listener has checked its certificate: if the
 * listener refuses it, `connect` resolves, and the client's transport fails afterwards.
 *
 * @param builder the driver below, such as `tcp()`
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for something that is not a builder, for an option that is unknown, of
 *   the wrong type or out of range, and for credentials that cannot be used
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
