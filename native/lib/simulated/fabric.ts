/** A simulated network of hosts with RDMA devices, driven by a seeded scheduler. */
import { NettsError } from '@netts/core'
import { backgroundClock, clock, invalidArgument, KeepAlive } from '@netts/core/driver'
import type { ClockTimer } from '../verbs/verbs.js'
import type {
  SimulatedFabric,
  SimulatedFabricOptions,
  SimulatedHost,
  SimulatedHostOptions,
  SimulationMode,
} from './contract.js'
import { Host } from './host.js'
import type { Machine, Network } from './machine.js'
import { Random } from './random.js'
import { Scheduler, Step } from './scheduler.js'

/** Steps within a millisecond after which a simulation counts as an endless loop. */
const MOST_STEPS_AT_ONE_TIME = 1_000_000
/** Virtual time after which a promise counts as never settling: longer than any timeout of a protocol. */
const MOST_VIRTUAL_MS = 3_600_000
/** Real milliseconds to wait for I/O outside of the simulation before calling it a deadlock. */
const OUTSIDE_PATIENCE_MS = 200
const DEVICE_STEPS_PER_TURN = 256

export class Fabric implements SimulatedFabric, Network {
  readonly mode: SimulationMode
  readonly seed: number
  readonly random: Random
  readonly scheduler: Scheduler
  readonly hosts: Host[] = []
  readonly #auto: boolean
  readonly #cuts = new Set<string>()
  readonly #parked = new Set<{ from: Machine; to: Machine; step: Step }>()
  /** Hosts with something open that keeps the process alive. */
  readonly #alive = new Set<Host>()
  readonly #process = new KeepAlive()
  #holdsProcess = false
  #pumpScheduled = false
  #timer: ClockTimer | undefined

  constructor(options: SimulatedFabricOptions) {
    this.mode = options.mode
    this.seed = options.seed ?? Math.floor(Math.random() * 0x8000_0000)
    this.random = new Random(this.seed)
    this.#auto = options.drive === 'auto'
    this.scheduler = new Scheduler(this.random, options.schedule ?? 'fair', this.#auto)
    if (this.#auto) this.scheduler.onWork = () => this.#schedulePump()
  }

  get steps(): number {
    return this.scheduler.steps
  }

  get trace(): string {
    return this.scheduler.trace
  }

  get nowMs(): number {
    return this.scheduler.nowMs
  }

  get onStep(): ((step: number) => void) | undefined {
    return this.scheduler.onStep
  }

  set onStep(callback: ((step: number) => void) | undefined) {
    this.scheduler.onStep = callback
  }

  createHost(options: SimulatedHostOptions = {}): Host {
    const host = new Host(this, this.hosts.length + 1, options)
    if (this.hosts.some(({ name, address }) => name === host.name || address === host.address)) {
      throw invalidArgument(`there is a host ${host.name} or an address ${host.address} already`)
    }
    this.hosts.push(host)
    return host
  }

  // Driving it.

  async settle<T>(promise: PromiseLike<T>): Promise<T> {
    if (this.#auto) return promise
    let settled = false
    const done = () => {
      settled = true
    }
    promise.then(done, done)
    const limitMs = this.scheduler.nowMs + MOST_VIRTUAL_MS
    const checkProgress = this.#watchProgress()
    for (await drainTicks(); !settled; checkProgress()) {
      const kind = this.scheduler.step(limitMs)
      if (kind === 'program') await drainTicks()
      else if (kind === undefined) {
        await drainTicks()
        if (settled) break
        if (this.scheduler.passTime(limitMs)) continue
        if (this.scheduler.nowMs >= limitMs) throw this.#deadlock()
        if (!(await this.#awaitOutside(() => settled))) throw this.#deadlock()
      }
    }
    return promise
  }

  async run(): Promise<void> {
    await this.advance(0)
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.scheduler.nowMs + ms
    const checkProgress = this.#watchProgress()
    for (await drainTicks(); ; checkProgress()) {
      const kind = this.scheduler.step(untilMs)
      if (kind === 'program') await drainTicks()
      else if (kind === undefined && !this.scheduler.passTime(untilMs)) break
      if (this.scheduler.nowMs > untilMs && ms > 0) break
    }
    this.scheduler.skipTo(untilMs)
  }

  block(ms: number): void {
    if (this.#auto)
      throw invalidArgument("block() is for drive 'manual': in real time, compute for as long instead")
    this.scheduler.compute(this.scheduler.nowMs + ms)
  }

  // What can happen to it.

  partition(a: SimulatedHost, b: SimulatedHost): void {
    this.#cuts.add(cutName(a, b))
    this.refresh()
  }

  heal(): void {
    this.#cuts.clear()
    this.refresh()
  }

  // For the parts of the simulation.

  /** A host has something open that keeps the process alive, or no longer. */
  keepAlive(host: Host, keeps: boolean): void {
    if (keeps) this.#alive.add(host)
    else this.#alive.delete(host)
    // With `drive: 'manual'`, `settle`, `run` and `advance` keep the process alive themselves.
    const wanted = this.#auto && this.#alive.size > 0
    if (wanted === this.#holdsProcess) return
    this.#holdsProcess = wanted
    if (wanted) this.#process.hold()
    else this.#process.release()
  }

  linked(a: Machine, b: Machine): boolean {
    return !a.stopped && !b.stopped && !this.#cuts.has(cutName(a, b))
  }

  sendManagement(from: Machine, to: Machine, name: string, deliver: () => void): void {
    const step = new Step(this.scheduler, 'device', `${from.name} to ${to.name}: ${name}`, () => {
      step.enabled = false
      this.#parked.delete(message)
      deliver()
    })
    const message = { from, to, step }
    this.#parked.add(message)
    step.enabled = this.linked(from, to)
  }

  /** Works out again what can happen, after {@link partition} or {@link heal}. */
  refresh(): void {
    for (const host of this.hosts) for (const queuePair of host.queuePairs) queuePair.refresh()
    for (const { from, to, step } of this.#parked) step.enabled = this.linked(from, to)
  }

  hostAt(address: string): Host | undefined {
    return this.hosts.find((host) => host.address === address)
  }

  #deadlock(): NettsError {
    return new NettsError(
      'ERR_NETTS_TIMEOUT',
      `nothing more can happen in the simulated fabric, but the promise is pending (seed ${this.seed})`,
    )
  }

  /** @returns a check, to be called after every step, that throws after too many steps within a millisecond */
  #watchProgress(): () => void {
    let { nowMs } = this
    let steps = 0
    return () => {
      if (this.nowMs - nowMs >= 1) {
        nowMs = this.nowMs
        steps = 0
      } else if (++steps > MOST_STEPS_AT_ONE_TIME) throw this.#runaway()
    }
  }

  #runaway(): NettsError {
    return new NettsError(
      'ERR_NETTS_TIMEOUT',
      `the simulated fabric made ${MOST_STEPS_AT_ONE_TIME} steps within a millisecond (seed ${this.seed})`,
    )
  }

  /** Waits for I/O outside of the simulation. @returns whether anything happened */
  async #awaitOutside(settled: () => boolean): Promise<boolean> {
    const { steps } = this
    for (let waitedMs = 0; waitedMs < OUTSIDE_PATIENCE_MS; waitedMs++) {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 1))
      if (settled() || this.scheduler.hasWork || this.steps !== steps) return true
    }
    return false
  }

  #schedulePump(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    clock.setImmediate(() => {
      this.#pumpScheduled = false
      try {
        let left = DEVICE_STEPS_PER_TURN
        while (left-- > 0 && this.scheduler.step(Number.POSITIVE_INFINITY) === 'device');
      } finally {
        this.#scheduleNext()
      }
    })
  }

  #scheduleNext(): void {
    this.#timer?.close()
    const { nextTimerMs } = this.scheduler
    if (this.scheduler.hasWork) this.#schedulePump()
    else if (nextTimerMs !== undefined) {
      const delayMs = Math.ceil(nextTimerMs - this.scheduler.nowMs)
      this.#timer = backgroundClock.setTimer(() => this.#schedulePump(), delayMs)
    }
  }
}

function cutName(a: { readonly name: string }, b: { readonly name: string }): string {
  return a.name < b.name ? `${a.name} ${b.name}` : `${b.name} ${a.name}`
}

/** Lets all ticks and promise callbacks that are due run. */
function drainTicks(): Promise<void> {
  return new Promise((resolve) => {
    clock.setImmediate(resolve)
  })
}
