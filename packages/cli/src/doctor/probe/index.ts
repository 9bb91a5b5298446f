/** Finds the facts about this machine that the checks judge. */
import type { Device } from '@netts/verbs'
import { risen } from '../counters.js'
import type { DeviceFacts, Facts, RegistrationFacts, SelfConnectionFacts } from '../facts.js'
import { probeInterfaces } from './interfaces.js'
import { probeDeviceFiles, probeModules } from './kernel.js'
import { probeProcess } from './process.js'
import { connectToItself } from './self-connection.js'
import { probeSysfsDevices, readDeviceCounters, type SysfsDevice } from './sysfs-devices.js'
import { probeVerbs, tryRegistrations } from './verbs.js'

/** The size of the first, small registration. */
const LEAST_BYTES = 1 << 20

/** Options of {@link probe}. */
export interface ProbeOptions {
  /** How much memory to register, in bytes, in addition to a first MiB. */
  readonly memoryBytes: number
  /** Called before each step that may take a while. */
  readonly onStep: (step: string) => void
}

export async function probe({ memoryBytes, onStep }: ProbeOptions): Promise<Facts> {
  onStep('looking at the machine')
  const process = probeProcess()
  const interfaces = probeInterfaces()
  const { libraries, listError, devices: opened, addresses } = probeVerbs(interfaces)
  const sizes = [...new Set([LEAST_BYTES, memoryBytes])].sort((a, b) => a - b)
  const registrations = new Map<string, readonly RegistrationFacts[]>()
  // Before the connections, whose memory stays registered.
  for (const device of opened) {
    onStep(`registering memory with ${device.name}`)
    registrations.set(device.name, await tryRegistrations(device, sizes))
  }
  const devices: DeviceFacts[] = []
  for (const sysfs of devicesToLookAt(opened)) {
    const device = opened.find(({ name }) => name === sysfs.name)
    devices.push({
      ...(await probeDevice(sysfs, device, addresses.get(sysfs.name) ?? [])),
      registrations: registrations.get(sysfs.name) ?? [],
    })
  }
  return {
    process,
    modules: probeModules(),
    libraries,
    listError,
    deviceFiles: probeDeviceFiles(),
    interfaces,
    devices,
  }

  async function probeDevice(
    sysfs: SysfsDevice,
    device: Device | undefined,
    local: readonly string[],
  ): Promise<Omit<DeviceFacts, 'registrations'>> {
    const mtus = new Map(device?.ports().map((port) => [port.number, port.activeMtuBytes]))
    const isActive = sysfs.ports.some(({ state }) => state === 'ACTIVE')
    const before = readDeviceCounters(sysfs.name)
    const selfConnections: SelfConnectionFacts[] = []
    if (isActive) {
      for (const address of local) {
        onStep(`connecting to ${address} over ${sysfs.name}`)
        selfConnections.push(await connectToItself(address))
      }
    }
    return {
      ...sysfs,
      ports: sysfs.ports.map((port) => ({ ...port, rdmaMtuBytes: mtus.get(port.number) })),
      opened: device !== undefined,
      addresses: local,
      selfConnections,
      rose: risen(before, readDeviceCounters(sysfs.name)),
    }
  }
}

/** The devices of the kernel, and those of a replacement for the libraries, which the kernel does not know. */
function devicesToLookAt(opened: readonly Device[]): SysfsDevice[] {
  const known = probeSysfsDevices()
  const others = opened.filter(({ name }) => !known.some((device) => device.name === name))
  return [
    ...known,
    ...others.map((device) => ({
      name: device.name,
      transport: device.transport,
      firmwareVersion: device.attributes.firmwareVersion,
      isSoftware: true,
      interfaces: [],
      ports: device.ports().map(({ number, state, linkLayer }) => ({
        number,
        state: state.toUpperCase(),
        physicalState: state === 'active' ? 'LinkUp' : 'Disabled',
        linkLayer,
        rate: '?',
        gids: [],
        counters: {},
      })),
    })),
  ]
}
