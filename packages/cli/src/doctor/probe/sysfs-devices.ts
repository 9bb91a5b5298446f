/** Reads the RDMA devices of the kernel from `/sys/class/infiniband`. */
import type { Counters, DeviceFacts, GidFacts, PortFacts } from '../facts.js'
import { namesIn, readLine } from './files.js'

const CLASS = '/sys/class/infiniband'

/** A device as sysfs shows it, without opening it. */
export type SysfsDevice = Pick<
  DeviceFacts,
  'name' | 'transport' | 'firmwareVersion' | 'isSoftware' | 'interfaces'
> & { readonly ports: readonly Omit<PortFacts, 'rdmaMtuBytes'>[] }

export function probeSysfsDevices(): SysfsDevice[] {
  return namesIn(CLASS).map((name) => {
    const folder = `${CLASS}/${name}`
    const transport = /RNIC/.test(readLine(`${folder}/node_type`) ?? '') ? 'iwarp' : 'infiniband'
    const ports = namesIn(`${folder}/ports`).map((port) =>
      probePort(`${folder}/ports/${port}`, Number(port), transport),
    )
    const below = namesIn('/sys/class/net').filter((netdev) =>
      namesIn(`/sys/class/net/${netdev}/device/infiniband`).includes(name),
    )
    const parent = readLine(`${folder}/parent`)
    const named = ports.flatMap(({ gids }) => gids.map((gid) => gid.interface))
    const interfaces = [...below, parent, ...named].filter((netdev) => netdev !== undefined)
    return {
      name,
      transport,
      firmwareVersion: readLine(`${folder}/fw_ver`) ?? '',
      // A hardware device has a bus device.
      isSoftware: !namesIn(folder).includes('device'),
      interfaces: [...new Set(interfaces)],
      ports,
    }
  })
}

function probePort(
  folder: string,
  number: number,
  transport: DeviceFacts['transport'],
): Omit<PortFacts, 'rdmaMtuBytes'> {
  // Files such as `4: ACTIVE`.
  const word = (file: string) => (readLine(`${folder}/${file}`) ?? '?').replace(/^\d+: */, '')
  return {
    number,
    state: word('state'),
    physicalState: word('phys_state'),
    linkLayer: word('link_layer'),
    rate: readLine(`${folder}/rate`) ?? '?',
    gids: probeGids(folder).map((gid) =>
      // A GID of iWARP is made of the hardware address, and stands for no IP address.
      transport === 'iwarp' ? { ...gid, address: undefined } : gid,
    ),
    counters: readCounters(folder),
  }
}

function probeGids(folder: string): readonly GidFacts[] {
  return namesIn(`${folder}/gids`)
    .map(Number)
    .sort((a, b) => a - b)
    .flatMap((index) => {
      const gid = readLine(`${folder}/gids/${index}`)
      if (gid === undefined || /^[0:]*$/.test(gid)) return []
      return {
        index,
        gid,
        type: readLine(`${folder}/gid_attrs/types/${index}`) ?? '?',
        interface: readLine(`${folder}/gid_attrs/ndevs/${index}`),
        address: addressOfGid(gid),
      }
    })
}

/** The IP address that a GID of RoCE stands for; `undefined` for link-local ones. */
export function addressOfGid(gid: string): string | undefined {
  const groups = gid.split(':').map((group) => Number.parseInt(group, 16))
  if (groups.length !== 8 || (groups[0]! & 0xffc0) === 0xfe80) return undefined
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.')
  }
  // The shortest form, as in node:os.
  return new URL(`http://[${gid}]`).hostname.slice(1, -1)
}

/** The counters of a port, of both kinds. */
function readCounters(folder: string): Counters {
  const counters: Record<string, number> = {}
  for (const kind of ['counters', 'hw_counters']) {
    for (const name of namesIn(`${folder}/${kind}`)) {
      const value = Number(readLine(`${folder}/${kind}/${name}`))
      if (name !== 'lifespan' && Number.isFinite(value)) counters[name] = value
    }
  }
  return counters
}

/** All counters of a device by `PORT/NAME`, now. */
export function readDeviceCounters(device: string): Counters {
  const ports = `${CLASS}/${device}/ports`
  return Object.fromEntries(
    namesIn(ports).flatMap((port) =>
      Object.entries(readCounters(`${ports}/${port}`)).map(([name, value]) => [`${port}/${name}`, value]),
    ),
  )
}
