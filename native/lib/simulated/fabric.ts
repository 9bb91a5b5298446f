/** A simulated network of hosts with RDMA devices, driven by a seeded scheduler. */
import { NettsError } from '@netts/core'
import type { SimulationMode } from './device.js'
import { SimulatedHost, type SimulatedHostOptions } from './host.js'
import { Random } from './random.js'
import { type Schedule, Scheduler, Step } from './scheduler.js'

/** Options of `createSimulatedFabric`. */
export interface SimulatedFabricOptions {
  /** RoCE (as InfiniBand), or iWARP with its restrictions. */
  readonly mode: SimulationMode
  /** Chooses the schedule; the same program with the same seed runs the same way. @default random */
  readonly seed?: number
  /** @default fair */
  readonly schedule?: Schedule
  /**
   * `manual`: nothing happens but in `settle`, `run` and `advance`, and time is virtual: every run is
   * reproducible. `auto`: it runs by itself on the event loop, and time is the machine's, so that any program can
   * use it as it would use a device.
   * @default manual
   */
  readonly drive?: 'manual' | 'auto'
}

/** Steps within a millisecond after which a simulation counts as running in circles. */
const MOST_STEPS_AT_ONE_TIME = 1_000_000
/** Virtual time after which a promise counts as never settling: longer than any timeout of the wire. */
const MOST_VIRTUAL_MS = 3_600_000
/** Real milliseconds to wait for I/O outside of the simulation before calling it a deadlock. */
const OUTSIDE_PATIENCE_MS = 200
const DEVICE_STEPS_PER_TURN = 256

export class Fabric {
  readonly mode: SimulationMode
  readonly seed: number
  readonly random: Random
  readonly scheduler: Scheduler
  readonly hosts: SimulatedHost[] = []
  readonly #auto: boolean
  readonly #cuts = new Set<string>()
  readonly #parked = new Set<{ from: SimulatedHost; to: SimulatedHost; step: Step }>()
  #pumpScheduled = false
  #timer: NodeJS.Timeout | undefined

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

  set onStep(callback: ((step: number) => void) | undefined) {
    this.scheduler.onStep = callback
  }

  createHost(options: SimulatedHostOptions = {}): SimulatedHost {
    const host = new SimulatedHost(this, this.hosts.length + 1, options)
    this.hosts.push(host)
    return host
  }

  // Driving it.

  /** Runs until the promise settles. Rejects as it does, and when nothing can ever settle it. */
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

  /** Runs until nothing more happens at this time. */
  async run(): Promise<void> {
    await this.advance(0)
  }

  /** Runs for so many milliseconds of virtual time. */
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

  // What can happen to it.

  /** Cuts two hosts off from each other: packets between them are lost until `heal`. */
  partition(a: SimulatedHost, b: SimulatedHost): void {
    this.#cuts.add(cutName(a, b))
    this.refresh()
  }

  /** Mends every cut. */
  heal(): void {
    this.#cuts.clear()
    this.refresh()
  }

  // For the parts of the simulation.

  /** Whether packets pass between two hosts. */
  linked(a: SimulatedHost, b: SimulatedHost): boolean {
    return !a.stopped && !b.stopped && !this.#cuts.has(cutName(a, b))
  }

  /** A message of the connection manager: goes its own way, and may overtake others. */
  sendManagement(from: SimulatedHost, to: SimulatedHost, name: string, deliver: () => void): void {
    const step = new Step(this.scheduler, 'device', `${from.name} to ${to.name}: ${name}`, () => {
      step.enabled = false
      this.#parked.delete(message)
      deliver()
    })
    const message = { from, to, step }
    this.#parked.add(message)
    step.enabled = this.linked(from, to)
  }

  /** Works out again what can happen, after a cut or a mend. */
  refresh(): void {
    for (const host of this.hosts) for (const queuePair of host.queuePairs) queuePair.refresh()
    for (const { from, to, step } of this.#parked) step.enabled = this.linked(from, to)
  }

  hostAt(address: string): SimulatedHost | undefined {
    return this.hosts.find((host) => host.address === address)
  }

  #deadlock(): NettsError {
    return new NettsError(
      'ERR_NETTS_TIMEOUT',
      `nothing more can happen in the simulated fabric, but the promise is pending (seed ${this.seed})`,
    )
  }

  /** @returns a check, to be made after every step, that throws when time seems to stand still */
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
    return new NettsError('ERR_NETTS_TIMEOUT', `the simulated fabric runs in circles (seed ${this.seed})`)
  }

  /** Gives real I/O a chance. @returns whether something came of it */
  async #awaitOutside(settled: () => boolean): Promise<boolean> {
    const { steps } = this
    for (let waitedMs = 0; waitedMs < OUTSIDE_PATIENCE_MS; waitedMs++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      if (settled() || this.scheduler.hasWork || this.steps !== steps) return true
    }
    return false
  }

  #schedulePump(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    setImmediate(() => {
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
    clearTimeout(this.#timer)
    const { nextTimerMs } = this.scheduler
    if (this.scheduler.hasWork) this.#schedulePump()
    else if (nextTimerMs !== undefined) {
      const delayMs = Math.ceil(nextTimerMs - this.scheduler.nowMs)
      this.#timer = setTimeout(() => this.#schedulePump(), delayMs).unref()
    }
  }
}

function cutName(a: SimulatedHost, b: SimulatedHost): string {
  return a.index < b.index ? `${a.index}-${b.index}` : `${b.index}-${a.index}`
}

/** Lets every promise and tick that is due run. */
function drainTicks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
