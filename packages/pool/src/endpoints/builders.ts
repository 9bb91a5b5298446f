/** The drivers of an endpoint, in order of preference, as they are given. */
import type { Transport, TransportBuilder } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`: the likeliest mistake is `tcp` for `tcp()` */
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
