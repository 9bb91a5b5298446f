/** An endpoint that is about to be made: its slabs are registered first, off the event loop. */
import type { CmId } from '../verbs/cm.js'
import type { Verbs } from '../verbs/verbs.js'
import { DeviceEnvironment } from './device-environment.js'
import type { EndpointOptions } from './endpoint-session.js'

/**
 * Registers the slabs of a connection to be, and then makes it. What was not taken by then is given up.
 * @param id whose device is known
 * @param make makes the endpoint, or throws why not
 * Rejects with what the device refuses, and with what `make` threw.
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
