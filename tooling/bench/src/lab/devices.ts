/** The RDMA devices that the lab gives to the commands it runs. */

export interface LabDevice {
  readonly name: string
  readonly address: string
}

/** @returns none outside of the lab */
export function labDevices(): LabDevice[] {
  const given = process.env.NETTS_LAB_DEVICES
  return given === undefined ? [] : (JSON.parse(given) as LabDevice[])
}

/** The device that is measured. @throws Error outside of the lab */
export function measuredDevice(): LabDevice {
  const [device] = labDevices()
  if (!device) throw new Error('there is no RDMA device: this runs in the lab alone')
  return device
}
