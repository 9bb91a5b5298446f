/**
 * A simulated machine with one process and one device: an implementation of {@link Verbs}, and the faults of a host.
 */
import { NettsError } from '@netts/core'
import type { Device, PortState } from '../verbs/device.js'
import type { DeviceAttributes } from '../verbs/device-attributes.js'
import { callError } from '../verbs/errors.js'
import type { Clock, ClockTimer, VerbsCounts } from '../verbs/verbs.js'
import { SimulatedCmId } from './cm-id.js'
import type { SimulatedCounters, SimulatedHost, SimulatedHostOptions } from './contract.js'
import { SimulatedDevice } from './device.js'
import type { Machine, MachineQueuePair, Network } from './machine.js'
import { MemoryTable } from './memory-table.js'
import type { Resource } from './resource.js'
import { Step } from './scheduler.js'

/** In this order an object is closed before those that it uses. */
const TEARDOWN_ORDER: readonly (keyof VerbsCounts)[] = [
  'memoryWindows',
  'queuePairs',
  'cmIds',
  'sharedReceiveQueues',
  'completionQueues',
  'completionChannels',
  'memoryRegions',
  'protectionDomains',
]

interface InjectedFailure {
  readonly operation: string
  readonly errno: string
  skip: number
}

/** What a host does to its network. */
interface HostNetwork extends Network {
  /** Works out again what can happen. */
  refresh(): void
  /** Whether this host has something open that keeps the process alive. */
  keepAlive(host: Host, keeps: boolean): void
}

export class Host implements SimulatedHost, Machine {
  readonly implementation = 'simulated'
  readonly fabric: HostNetwork
  readonly index: number
  readonly name: string
  readonly address: string
  device: SimulatedDevice
  readonly memory: MemoryTable
  readonly memlockLimitBytes: number
  readonly clock: Clock
  readonly queuePairs = new Set<MachineQueuePair>()
  readonly listeners = new Map<number, SimulatedCmId>()
  readonly #open = new Map<keyof VerbsCounts, Set<Resource>>()
  readonly #keepingAlive = new Set<Disposable>()
  readonly #limits: Partial<DeviceAttributes>
  readonly #failures: InjectedFailure[] = []
  #state: 'running' | 'killed' | 'off' = 'running'
  #nextPort = 49152

  constructor(fabric: HostNetwork, index: number, options: SimulatedHostOptions) {
    this.fabric = fabric
    this.index = index
    this.name = options.name ?? `host${index}`
    this.address = options.address ?? `10.0.0.${index}`
    this.memlockLimitBytes = options.memlockLimitBytes ?? Number.POSITIVE_INFINITY
    this.memory = new MemoryTable(index)
    this.#limits = options.limits ?? {}
    this.device = new SimulatedDevice(this, fabric.mode, this.#limits)
    this.clock = {
      now: () => fabric.scheduler.nowMs,
      setTimer: (callback, delayMs) => this.#setTimer(callback, delayMs),
      setImmediate: (callback) => this.#setImmediate(callback),
    }
  }

  get pinnedBytes(): number {
    return this.memory.pinnedBytes
  }

  get counts(): VerbsCounts {
    const count = (kind: keyof VerbsCounts) => this.#open.get(kind)?.size ?? 0
    return {
      protectionDomains: count('protectionDomains'),
      memoryRegions: count('memoryRegions'),
      memoryWindows: count('memoryWindows'),
      completionChannels: count('completionChannels'),
      completionQueues: count('completionQueues'),
      sharedReceiveQueues: count('sharedReceiveQueues'),
      queuePairs: count('queuePairs'),
      cmIds: count('cmIds'),
    }
  }

  devices(): readonly Device[] {
    return this.device.removed ? [] : [this.device]
  }

  createCmId(): SimulatedCmId {
    this.enter('rdma_create_id')
    return new SimulatedCmId(this)
  }

  close(): void {
    for (const kind of TEARDOWN_ORDER) {
      for (const resource of [...(this.#open.get(kind) ?? [])].reverse()) resource.close()
    }
  }

  [Symbol.dispose](): void {
    this.close()
  }

  get counters(): Readonly<SimulatedCounters> {
    return this.device.counters
  }

  // What can happen to it.

  kill(): void {
    if (this.#state !== 'running') return
    this.#state = 'killed'
    for (const queuePair of this.queuePairs) queuePair.loseMemory()
    this.close()
  }

  powerOff(): void {
    this.#state = 'off'
    this.fabric.keepAlive(this, false)
    this.fabric.refresh()
  }

  removeDevice(): void {
    if (this.device.removed) return
    this.device.removed = true
    for (const queuePair of this.queuePairs) queuePair.fail()
    this.device.raise({ type: 'device-fatal', name: 'IBV_EVENT_DEVICE_FATAL' })
    for (const id of (this.#open.get('cmIds') ?? []) as Set<SimulatedCmId>) {
      if (id.device) id.push({ type: 'device-removal' })
    }
  }

  restoreDevice(): void {
    if (this.device.removed) this.device = new SimulatedDevice(this, this.fabric.mode, this.#limits)
  }

  setPortState(state: PortState): void {
    this.device.setPortState(state)
  }

  failCall(operation: string, errno: string, after = 0): void {
    this.#failures.push({ operation, errno, skip: after })
  }

  // For the parts of the simulation.

  get dead(): boolean {
    return this.#state !== 'running'
  }

  /** Whether its power was cut: its device does nothing more. */
  get stopped(): boolean {
    return this.#state === 'off'
  }

  /** Called at the beginning of every verb. */
  enter(operation: string): void {
    if (this.dead) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', `${this.name} was killed`, { operation })
    }
    const failure = this.#failures.find((candidate) => candidate.operation === operation)
    if (failure && failure.skip-- === 0) {
      this.#failures.splice(this.#failures.indexOf(failure), 1)
      throw callError(operation, failure.errno, { device: this.device.name })
    }
    this.fabric.scheduler.interleave()
  }

  opened(kind: keyof VerbsCounts, resource: Resource): void {
    const open = this.#open.get(kind)
    if (open) open.add(resource)
    else this.#open.set(kind, new Set([resource]))
  }

  releasedResource(kind: keyof VerbsCounts, resource: Resource): void {
    this.#open.get(kind)?.delete(resource)
    this.keepAlive(resource, false)
  }

  keepAlive(resource: Disposable, keeps: boolean): void {
    if (keeps) this.#keepingAlive.add(resource)
    else if (!this.#keepingAlive.delete(resource)) return
    this.fabric.keepAlive(this, this.#keepingAlive.size > 0 && !this.dead)
  }

  /** Makes a step of this host's event loop, which no longer runs when the process is dead. */
  programStep(name: string, run: () => void): Step {
    const step = this.#step(name, run)
    step.inputOf = this
    return step
  }

  #step(name: string, run: () => void, polls = false): Step {
    const runUnlessDead = () => {
      if (this.dead) step.enabled = false
      else run()
    }
    const step = new Step(this.fabric.scheduler, 'program', `${this.name}: ${name}`, runUnlessDead, polls)
    return step
  }

  nextTurn(name: string): Promise<void> {
    return new Promise((resolve) => {
      const step = this.#step(name, () => {
        step.enabled = false
        resolve()
      })
      step.enabled = true
    })
  }

  takePort(): number {
    while (this.listeners.has(this.#nextPort)) this.#nextPort++
    return this.#nextPort++
  }

  #setTimer(callback: () => void, delayMs: number): ClockTimer {
    return this.fabric.scheduler.setTimer('program', `${this.name}: timer`, delayMs, () => {
      if (!this.dead) callback()
    })
  }

  #setImmediate(callback: () => void): ClockTimer {
    const run = () => {
      step.enabled = false
      callback()
    }
    const step = this.#step('immediate', run, true)
    return { close: this.fabric.scheduler.enableBehindInput(step, this) }
  }
}
