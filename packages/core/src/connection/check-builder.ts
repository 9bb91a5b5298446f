/** The check of a driver that a program hands over. */
import { invalidArgument } from '../errors.js'
import type { TransportBuilder } from '../transport.js'

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`: the likeliest mistake is `tcp` for `tcp()` */
export function checkBuilder(builder: TransportBuilder): void {
  if (typeof builder?.connect !== 'function' || typeof builder.listen !== 'function') {
    throw invalidArgument('builder must be a TransportBuilder, such as tcp()')
  }
}
