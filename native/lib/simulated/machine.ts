/**
 * What the objects of the simulated device need of their machine, its device, and the network. `Host`,
 * `SimulatedDevice` and `Fabric` implement these interfaces, so that the objects' files need not import them.
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
  /** Sends a message of the connection manager, which may overtake others. */
  sendManagement(from: Machine, to: Machine, name: string, deliver: () => void): void
  hostAt(address: string): Machine | undefined
}

/** What a machine needs of a queue pair. */
export interface MachineQueuePair {
  /** Works out what can happen next on it. */
  refresh(): void
  /** Moves it to the error state. */
  fail(): void
  /** The process is killed: its memory may be gone before its queue pair is. */
  loseMemory(): void
}

/** The device of a machine. */
export interface MachineDevice extends Device {
  /** Whether it was removed; the machine may get another one. */
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
  /** Whether its process was killed, or its power was cut. */
  readonly dead: boolean
  /** Whether its power was cut: its device does nothing more. */
  readonly stopped: boolean
  /** Called at the beginning of every verb. */
  enter(operation: string): void
  opened(kind: keyof VerbsCounts, resource: Disposable): void
  releasedResource(kind: keyof VerbsCounts, resource: Disposable): void
  /** Sets whether this resource keeps the process alive, until it is closed. */
  keepAlive(resource: Disposable, keeps: boolean): void
  /** Makes a step of its event loop, which no longer runs when the process is dead. */
  programStep(name: string, run: () => void): Step
  nextTurn(name: string): Promise<void>
  takePort(): number
}
