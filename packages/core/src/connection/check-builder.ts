/** The check of a builder that a program gives. */
import { invalidArgument } from '../errors.js'
import type { TransportBuilder } from '../transport.js'

/**
 * Checks that a value is a {@link TransportBuilder}; the likeliest mistake is `tcp` instead of `tcp()`.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise
 */
export function checkBuilder(builder: TransportBuilder): void {
  if (typeof builder?.connect !== 'function' || typeof builder.listen !== 'function') {
    throw invalidArgument('builder must be a TransportBuilder, such as tcp()')
  }
}
