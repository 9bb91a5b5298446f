/**
 * What the objects of the simulated device know of where they live: their machine, its device, and the network. `Host`,
 * `SimulatedDevice` and `Fabric` are these; they are made of the objects, and no object knows them.
 */
import type { Device, DeviceCapabilities, DeviceEvent } from '../verbs/device.js'
import type { DeviceAttributes } from '../verbs/device-attributes.js'
import type { VerbsCounts } from '../verbs/verbs.js'
import type { SimulatedCounters, SimulationMode } from './contract.js'
import type { MemoryTable } from './memory-table.js'
import type { Random } from './random.js'
import type { Scheduler, Step } from './scheduler.js'

/** What connects the machines, and drives them. */
export interface Network {
  readonly mode: SimulationMode
  readonly random: Random
  readonly scheduler: Scheduler
  /** Whether packets pass between two machines. */
  linked(a: Machine, b: Machine): boolean
  /** A message of the connection manager: goes its own way, and may overtake others. */
  sendManagement(from: Machine, to: Machine, name: string, deliver: () => void): void
  hostAt(address: string): Machine | undefined
}

/** A queue pair, as far as its machine cares. */
export interface MachineQueuePair {
  /** Works out what can happen next on it. */
  refresh(): void
  /** To the error state. */
  fail(): void
  /** The process is killed: its memory may be gone before its queue pair is. */
  loseMemory(): void
}

/** The device of a machine. */
export interface MachineDevice extends Device {
  /** It is gone for good; the machine may get another. */
  readonly removed: boolean
  readonly maxInlineBytes: number
  readonly counters: SimulatedCounters
  /**
   * Whether a Send or Write completes only once the peer's device acknowledged it. On iWARP, TCP taking it is enough.
   */
  readonly acknowledges: boolean
  /** Queues an event for the program. */
  raise(event: DeviceEvent): void
  /**
   * @throws NettsError `ERR_NETTS_VERBS` with ENOMEM when there are as many as the device can have, with EIO once it
   *   was removed
   */
  checkLimit(kind: keyof VerbsCounts, limit: keyof DeviceAttributes, operation: string): void
  /** @throws NettsError `ERR_NETTS_UNSUPPORTED` */
  requireCapability(capability: keyof DeviceCapabilities, name: string): void
  takeQueuePairNumber(): number
  returnQueuePairNumber(number: number): void
}

/** A machine with one process and one device. */
export interface Machine {
  readonly fabric: Network
  readonly index: number
  readonly name: string
  readonly address: string
  readonly device: MachineDevice
  readonly memory: MemoryTable
  readonly memlockLimitBytes: number
  readonly pinnedBytes: number
  readonly counts: VerbsCounts
  readonly queuePairs: Set<MachineQueuePair>
  /** Listening ids of the connection manager, by port. */
  readonly listeners: Map<number, Disposable>
  /** Its process was killed, or its power went. */
  readonly dead: boolean
  /** Its device does nothing more. */
  readonly stopped: boolean
  /** On entry of every verb. */
  enter(operation: string): void
  opened(kind: keyof VerbsCounts, resource: Disposable): void
  releasedResource(kind: keyof VerbsCounts, resource: Disposable): void
  /** Whether this resource keeps the process alive, until it is released. */
  keepAlive(resource: Disposable, keeps: boolean): void
  /** A step of its event loop: it does not run any more once the process is dead. */
  programStep(name: string, run: () => void): Step
  nextTurn(name: string): Promise<void>
  takePort(): number
}
