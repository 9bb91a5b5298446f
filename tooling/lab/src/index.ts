/** The lab for scripts and tests: open hosts with RDMA devices, run commands there, and break things. */
export { bundle } from './bundle.js'
export type { Command, CommandOptions, CommandResult, OutputSink } from './command.js'
export { devicesFromEnvironment, type LabDevice, type LabDeviceType } from './devices.js'
export type { Host } from './host.js'
export {
  type Lab,
  type LabOptions,
  type LabPair,
  openGuest,
  openLab,
  openNativeLab,
  openPair,
  prepareGuests,
  type SoftDeviceType,
} from './lab.js'
export type { Guest } from './machine/guest.js'
export type { Impairment, Link, LinkStatistics } from './machine/link.js'
export { LabError, type Progress } from './progress.js'
