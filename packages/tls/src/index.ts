/**
 * `@netts/tls`: TLS over any other driver, as a driver.
 *
 * @packageDocumentation
 */
export type { TlsCredentials, TlsOptions } from './options.js'
export { type TlsBuilder, tls } from './tls.js'
export type { TlsInfo, TlsTransport } from './tls-transport.js'
