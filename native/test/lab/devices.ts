/** For tests that run in the lab: the devices that it made. */

/** A device of the lab, as `NETTS_LAB_DEVICES` describes it. */
export interface LabDevice {
  readonly name: string
  readonly type: 'rxe' | 'siw'
  /** Listen here, and connect here. */
  readonly address: string
  /** The network interface below it. */
  readonly netdev: string
}

/** @throws Error outside of the lab */
export function labDevices(): readonly LabDevice[] {
  const described = process.env.NETTS_LAB_DEVICES
  if (described === undefined) throw new Error('this runs in the lab only: npx pnpm lab -- COMMAND')
  return JSON.parse(described) as LabDevice[]
}
