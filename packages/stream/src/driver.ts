/**
 * For authors of drivers whose wire ends in a Duplex, such as `@netts/tls`: extend {@link DuplexTransport}, and override
 * what is different about that Duplex.
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
