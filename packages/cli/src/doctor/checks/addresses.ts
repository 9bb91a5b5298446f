/** Whether devices have addresses to connect to, and what their MTUs are. */
import type { DeviceFacts, Facts, PortFacts } from '../facts.js'
import { type Finding, findingsOf, list } from '../finding.js'

const addresses = findingsOf('addresses')
const mtu = findingsOf('mtu')

/** The largest headers of a RoCE v2 packet, in bytes: IPv6, UDP, BTH, RETH, ImmDt and ICRC. */
const ROCE_OVERHEAD_BYTES = 40 + 8 + 12 + 16 + 4 + 4
const LARGEST_RDMA_MTU = 4096

const isActive = ({ state }: PortFacts) => state === 'ACTIVE'

export function checkAddresses(facts: Facts): Finding[] {
  const active = facts.devices.filter((device) => device.opened && device.ports.some(isActive))
  if (active.length === 0) return [addresses.skipped('no device has an active port')]
  const manager = facts.deviceFiles.find(({ path }) => path.endsWith('rdma_cm'))
  if (manager?.error !== undefined) {
    return [addresses.skipped('without /dev/infiniband/rdma_cm no address can be bound')]
  }
  return active.flatMap((device) => addressesOf(device, facts))
}

function addressesOf(device: DeviceFacts, { interfaces }: Facts): Finding[] {
  const local = new Set(interfaces.map(({ name }) => name))
  const elsewhere = device.interfaces.filter((name) => !local.has(name))
  const findings: Finding[] = []
  if (elsewhere.length > 0) {
    findings.push(
      // Without its interface no address can be bound here, so that the device is visible but cannot be used.
      addresses[device.addresses.length > 0 ? 'note' : 'problem'](
        `${device.name} belongs to ${list(elsewhere)}, which is in another network namespace`,
        'Give this container the network of the host (hostNetwork, --network host), or an interface of the device by ' +
          'macvlan, ipvlan or SR-IOV.',
      ),
    )
  } else if (device.addresses.length === 0) {
    findings.push(
      addresses.problem(
        `no local address is on ${device.name}, and connections are made between addresses`,
        device.interfaces.length > 0
          ? `Give its interface one: "ip address add 10.0.0.1/24 dev ${device.interfaces[0]}".`
          : 'Give its interface, which "rdma link" names, an address; in a container, that interface may be in another ' +
              'network namespace.',
      ),
    )
  }
  const gids = device.ports.filter(isActive).flatMap(({ gids }) => gids)
  for (const address of device.addresses) {
    const of = gids.filter((gid) => gid.address === address)
    const known = of.map(
      ({ index, type, interface: name }) => `GID ${index}: ${type}${name ? ` on ${name}` : ''}`,
    )
    findings.push(
      addresses.ok(`${address} is on ${device.name}${known.length > 0 ? ` (${known.join('; ')})` : ''}`),
    )
    if (of.length > 0 && !of.some(({ type }) => type === 'RoCE v2')) {
      findings.push(
        addresses.warning(
          `${address} has GIDs of RoCE v1 only, which no router forwards`,
          'Allow RoCE v2 in the adapter’s settings ("cma_roce_mode", "devlink dev param").',
        ),
      )
    }
  }
  return findings
}

/** The Ethernet MTU that the largest RDMA MTU needs. */
const NEEDED_MTU = LARGEST_RDMA_MTU + ROCE_OVERHEAD_BYTES

export function checkMtu({ devices, interfaces }: Facts): Finding[] {
  const active = devices.filter((device) => device.opened && device.ports.some(isActive))
  if (active.length === 0) return [mtu.skipped('no device has an active port')]
  return active.flatMap((device) => {
    const below = interfaces.filter(({ name }) => device.interfaces.includes(name))
    return device.ports.filter(isActive).map((port) => {
      const name = `${device.name} port ${port.number}`
      const of = below.map((one) => `${one.name} ${one.mtuBytes}`)
      const figures = `RDMA MTU ${port.rdmaMtuBytes}${of.length > 0 ? `, interface ${list(of)}` : ''}`
      // TCP splits the packets of iWARP, and InfiniBand does not run over Ethernet.
      const isRoce = device.transport === 'infiniband' && port.linkLayer === 'Ethernet'
      if (!isRoce || port.rdmaMtuBytes === undefined || port.rdmaMtuBytes >= LARGEST_RDMA_MTU) {
        return mtu.ok(`${name}: ${figures}`)
      }
      return mtu.note(
        `${name}: ${figures}; larger packets would cost less`,
        `Set the MTU of the interface, of its peers and of every switch between to ${NEEDED_MTU} or more, such as 9000.`,
      )
    })
  })
}
