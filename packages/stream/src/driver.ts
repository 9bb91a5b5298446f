/**
 * For authors of drivers whose wire ends in a Duplex, as that of `@netts/tls` does: extend {@link DuplexTransport}, and
 * state what is different about that Duplex.
 *
 * @packageDocumentation
 */
export { DuplexTransport } from './transport-from-duplex/duplex-transport.js'
export {
  checkDuplexLimits,
  DUPLEX_LIMIT_NAMES,
  type DuplexConfig,
  type DuplexLimits,
} from './transport-from-duplex/limits.js'
