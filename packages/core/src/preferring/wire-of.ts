/** Which wire a transport runs on. */
import type { Transport } from '../transport.js'

const wires = new WeakMap<object, string>()

/** Remembers the driver that made a transport. A wire that is several itself has remembered it before. */
export function rememberWire(transport: Transport, wire: string): void {
  if (!wires.has(transport)) wires.set(transport, wire)
}

/**
 * The name of the driver that made a transport, such as `tcp`: of `wireOf(connection.transport)`. It is known of what
 * {@link connect}, {@link listen} and {@link preferring} made; for {@link preferring}, the second one of a name is
 * `tcp#2`. `undefined` of other transports.
 */
export function wireOf(transport: object): string | undefined {
  return wires.get(transport)
}
