/** Registers the slabs of an endpoint before it is made, on another thread. */
import type { CmId } from '../verbs/cm.js'
import type { Verbs } from '../verbs/verbs.js'
import { DeviceEnvironment } from './device-environment.js'
import type { EndpointOptions } from './endpoint-session.js'

/**
 * Registers the slabs of a connection, then makes its endpoint. Slabs that `make` did not take are closed.
 * @param id whose device is known
 * @param make makes the endpoint, or throws
 * @returns what `make` returned. Rejects with what the device refuses, and with what `make` threw
 */
export async function withSlabsAhead<T>(
  verbs: Verbs,
  { device }: CmId,
  options: EndpointOptions,
  make: () => T,
): Promise<T> {
  if (!device || !options.slabs) return make()
  const environment = DeviceEnvironment.acquire(verbs, device)
  try {
    const reservation = environment.reserveSlabs(options.slabs(environment))
    try {
      await reservation.ready
      return make()
    } finally {
      reservation.close()
    }
  } finally {
    environment.release()
  }
}
