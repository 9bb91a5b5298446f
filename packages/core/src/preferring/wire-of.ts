/** Which wire a transport runs on. */
import type { Transport } from '../transport.js'

const wires = new WeakMap<object, string>()

/** Records the driver that made a transport, unless `preferring` has recorded it before. */
export function rememberWire(transport: Transport, wire: string): void {
  if (!wires.has(transport)) wires.set(transport, wire)
}

/**
 * Returns the name of the driver that a connection runs on, such as `tcp`: `wireOf(connection.transport)`. With
 * {@link preferring} it is the name of the chosen wire; the second wire of the same name is `tcp#2`. Returns `undefined` for
 * transports that {@link connect}, {@link listen} and {@link preferring} did not make.
 */
export function wireOf(transport: object): string | undefined {
  return wires.get(transport)
}
