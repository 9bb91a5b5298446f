/** The check of the drivers that a program gives to a pool or an endpoint. */
import type { Transport, TransportBuilder } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'

/**
 * Checks that every builder is one; the likeliest mistake is `tcp` instead of `tcp()`.
 * @returns the builders as a list
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise, and for an empty list
 */
export function checkBuilders<T extends Transport>(
  name: string,
  given: TransportBuilder<T> | readonly TransportBuilder<T>[],
): readonly TransportBuilder<T>[] {
  const builders = (Array.isArray(given) ? [...given] : [given]) as TransportBuilder<T>[]
  for (const builder of builders) {
    if (typeof builder?.connect === 'function' && typeof builder.name === 'string') continue
    throw invalidArgument(`${name} must be a TransportBuilder, such as tcp(), or a list of them`)
  }
  if (builders.length === 0) throw invalidArgument(`${name} must have at least one TransportBuilder`)
  return builders
}
