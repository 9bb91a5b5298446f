/** Tries RDMA: loads the libraries, opens the devices, binds addresses, registers memory. */
import { isNettsError } from '@netts/core'
import { type Device, openVerbs, rdmaAvailability, type Verbs } from '@netts/verbs'
import type { InterfaceFacts, LibraryFacts, RegistrationFacts } from '../facts.js'

/** The facts from the libraries. */
export interface VerbsFacts {
  readonly libraries: LibraryFacts
  readonly listError: string | undefined
  /** The devices that could be opened. */
  readonly devices: readonly Device[]
  /** Local addresses, by the device that the connection manager binds them to. */
  readonly addresses: ReadonlyMap<string, readonly string[]>
}

/** Reasons of `rdmaAvailability` for which no function of the libraries can be called. */
const NOT_LOADED = /^(not-linux|runtime-unsupported|addon-missing|library-missing)$/

export function probeVerbs(interfaces: readonly InterfaceFacts[]): VerbsFacts {
  const found = rdmaAvailability()
  if (!found.available && NOT_LOADED.test(found.reason)) {
    const { reason, message, remedy } = found
    return {
      libraries: { usable: false, reason, message, remedy },
      listError: undefined,
      devices: [],
      addresses: new Map(),
    }
  }
  const libraries = { usable: true } as const
  const verbs = openVerbs()
  try {
    const devices = verbs.devices()
    return { libraries, listError: undefined, devices, addresses: addressesByDevice(verbs, interfaces) }
  } catch (error) {
    if (!isNettsError(error)) throw error
    return { libraries, listError: error.message, devices: [], addresses: new Map() }
  }
}

/** Binds each address: only the kernel knows the devices of bonds, VLANs and virtual interfaces. */
function addressesByDevice(verbs: Verbs, interfaces: readonly InterfaceFacts[]): Map<string, string[]> {
  const byDevice = new Map<string, string[]>()
  const all = new Set(interfaces.flatMap(({ addresses }) => addresses))
  for (const host of all) {
    // Services do not use link-local addresses, which need a scope.
    if (/^fe[89ab]/i.test(host)) continue
    const device = deviceOf(verbs, host)
    if (device !== undefined) byDevice.set(device, [...(byDevice.get(device) ?? []), host])
  }
  return byDevice
}

function deviceOf(verbs: Verbs, host: string): string | undefined {
  try {
    using id = verbs.createCmId()
    id.bindAddress({ host, port: 0 })
    return id.device?.name
  } catch (error) {
    // There is no device, or no connection manager, which another check reports.
    if (isNettsError(error)) return undefined
    throw error
  }
}

/** Registers memory of each size in turn, and deregisters it. */
export async function tryRegistrations(
  device: Device,
  sizes: readonly number[],
): Promise<RegistrationFacts[]> {
  const results: RegistrationFacts[] = []
  for (const byteLength of sizes) {
    let error: string | undefined
    try {
      using domain = device.allocateProtectionDomain()
      using _region = await domain.registerRegionAsync({ byteLength })
    } catch (failure) {
      if (!isNettsError(failure)) throw failure
      error = (failure.cause as NodeJS.ErrnoException | undefined)?.code ?? failure.message
    }
    results.push({ byteLength, error })
  }
  return results
}
