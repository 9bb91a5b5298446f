/** The RDMA drivers on each device of the lab. */
import { labDevices } from '@netts/rdma-suite/lab-devices'
import { ringDriver, sendRecvDriver, type Wire } from './wires.js'

export const labWires: readonly Wire[] = labDevices().flatMap((device) =>
  [sendRecvDriver, ringDriver].map((driver) => ({
    name: `${driver.name}, ${device.name}`,
    missing: undefined,
    open: () => {
      const builder = driver.build()
      return { client: builder, server: builder, address: { host: device.address, port: 0 } }
    },
  })),
)
