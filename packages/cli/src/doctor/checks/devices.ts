/** Which devices there are, and whether their ports are up. */
import type { DeviceFacts, Facts, PortFacts } from '../facts.js'
import { type Finding, findingsOf, list } from '../finding.js'

const found = findingsOf('devices')
const ports = findingsOf('ports')

export function checkDevices({ devices, deviceFiles, libraries, process }: Facts): Finding[] {
  if (!libraries.usable && devices.length > 0) {
    return [
      found.skipped(
        `the kernel has ${list(devices.map(({ name }) => name))}; without the libraries nothing can open them`,
      ),
    ]
  }
  if (devices.length === 0) return [noDevice(process.rdmaNamespaces, process.container)]
  return devices.map((device) => {
    if (device.opened) return found.ok(describe(device))
    const file = deviceFiles.find((one) => one.device === device.name)
    if (file === undefined || file.error !== undefined) {
      return found.problem(`${device.name} cannot be opened`, 'See the finding about /dev/infiniband above.')
    }
    if (process.cgroupLimits.some((limit) => limit.device === device.name && limit.handles === 0)) {
      return found.problem(
        `${device.name} cannot be opened`,
        'See the finding about the control group above.',
      )
    }
    return found.problem(
      `${device.name} is there, and libibverbs does not list it: it has no provider for this device`,
      'Install the providers of rdma-core: "apt install ibverbs-providers", or "dnf install libibverbs"; with a vendor’s ' +
        'driver, its own rdma-core of the same version.',
    )
  })
}

function noDevice(mode: string | undefined, container: string | undefined): Finding {
  if (mode === 'exclusive') {
    return found.problem(
      'there is no RDMA device in this network namespace, and each namespace has its own ("rdma system": exclusive)',
      'Move one here with "rdma dev set NAME netns PID" on the host, or by the RDMA CNI plugin; or share all of them ' +
        'with "rdma system set netns shared".',
    )
  }
  return found.problem(
    'there is no RDMA device',
    (container === undefined ? '' : 'Look on the host first. ') +
      'Look for the adapter with "lspci | grep -iE mellanox|infiniband|chelsio" and load its driver (mlx5_ib, irdma, ' +
      'bnxt_re). For tests, make one in software: "rdma link add rxe0 type rxe netdev eth0".',
  )
}

function describe({ name, transport, firmwareVersion, isSoftware, ports: { length } }: DeviceFacts): string {
  const firmware = firmwareVersion === '' ? '' : `, firmware ${firmwareVersion}`
  const kind = transport === 'iwarp' ? 'iWARP' : 'InfiniBand or RoCE'
  return `${name} can be opened: ${kind}${isSoftware ? ' in software' : ''}${firmware}, ${length} port${length === 1 ? '' : 's'}`
}

export function checkPorts({ devices, interfaces }: Facts): Finding[] {
  const all = devices.flatMap((device) => device.ports.map((port) => ({ device, port })))
  if (all.length === 0) return [ports.skipped('there is no port to look at')]
  const isOneActive = all.some(({ port }) => port.state === 'ACTIVE')
  return all.map(({ device, port }) => {
    const name = `${device.name} port ${port.number}`
    if (port.state === 'ACTIVE') {
      const mtu = port.rdmaMtuBytes === undefined ? '' : `, RDMA MTU ${port.rdmaMtuBytes}`
      return ports.ok(`${name} is active (${port.linkLayer}, ${port.rate}${mtu})`)
    }
    const down = interfaces.filter(({ name, state }) => device.interfaces.includes(name) && state === 'down')
    // A second port without a cable is not a problem.
    const say = isOneActive ? ports.note : ports.problem
    return say(
      `${name} is not active (${port.state}, ${port.physicalState})`,
      remedyFor(
        port,
        device.interfaces,
        down.map(({ name }) => name),
      ),
    )
  })
}

function remedyFor(port: PortFacts, interfaces: readonly string[], down: readonly string[]): string {
  if (port.linkLayer === 'InfiniBand') {
    return port.physicalState === 'LinkUp'
      ? 'The link is up and no subnet manager has configured it: start opensm on one host, or look at the switch’s.'
      : 'There is no link: look at the cable, the transceiver and the switch’s port ("ibstat", "mlxlink").'
  }
  const names = down.length > 0 ? down : interfaces
  return names.length > 0
    ? `Bring its interface up with ${list(names.map((name) => `"ip link set ${name} up"`))}; if it stays down, look at the cable.`
    : 'Bring its network interface up ("rdma link" names it); if it stays down, look at the cable.'
}
