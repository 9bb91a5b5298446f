/** Which wire a transport runs on, where a program left the choice to netts. */
import type { Transport } from '../transport.js'

const wires = new WeakMap<object, string>()

/** Remembers the driver that made a transport. A wire that is several itself has remembered it before. */
export function rememberWire(transport: Transport, wire: string): void {
  if (!wires.has(transport)) wires.set(transport, wire)
}

/**
 * The name of the driver that {@link preferring} made a transport with, such as `tcp`: of
 * `wireOf(connection.transport)`; the second one of a name is `tcp#2`. `undefined` for a transport that it did not make.
 */
export function wireOf(transport: object): string | undefined {
  return wires.get(transport)
}
