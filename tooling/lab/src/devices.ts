/** The RDMA devices that a command in the lab may use, as it finds them in `NETTS_LAB_DEVICES`. */

/** `rxe` is Soft-RoCE, `siw` Soft-iWARP; `hardware` is an adapter of the machine itself. */
export type LabDeviceType = 'rxe' | 'siw' | 'hardware'

export interface LabDevice {
  /** The verbs device's name, such as `rxe0`. */
  name: string
  type: LabDeviceType
  /** The address to bind, listen and, with one host, connect to. */
  address: string
  /** The network device below, such as `dummy0` or `eth0`. */
  netdev: string
  /** With two hosts, the address of the other host's device of the same type. */
  peerAddress?: string
}

/** Reads lines of `name type address netdev [peer address]`. */
export function parseDevices(lines: string): LabDevice[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name = '', type, address = '', netdev = '', peerAddress] = line.trim().split(' ')
      return { name, type: type as LabDeviceType, address, netdev, ...(peerAddress ? { peerAddress } : {}) }
    })
}

/** The devices this process may use; none outside the lab. */
export function devicesFromEnvironment(env: NodeJS.ProcessEnv = process.env): LabDevice[] {
  return env.NETTS_LAB_DEVICES ? (JSON.parse(env.NETTS_LAB_DEVICES) as LabDevice[]) : []
}
