/** What a simulation offers to those who use it: driving it, and everything that can happen to it. */
import type { PortState } from '../verbs/device.js'
import type { DeviceAttributes } from '../verbs/device-attributes.js'
import type { Verbs } from '../verbs/verbs.js'

/** Which family of devices is simulated. */
export type SimulationMode = 'roce' | 'iwarp'

/**
 * How the next step is chosen. `fair`: every possible one is as likely. `hostile`: by priorities that change now and
 * then, so that some parts are starved for long while others race ahead.
 */
export type Schedule = 'fair' | 'hostile'

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
   * use it as it would use a device: what has a `ref()` keeps the process alive until it is closed, and fake timers
   * of test runners change nothing.
   * @default manual
   */
  readonly drive?: 'manual' | 'auto'
}

/** Options of {@link SimulatedFabric.createHost}. */
export interface SimulatedHostOptions {
  /** For traces. @default host1, host2, … */
  readonly name?: string
  /** @default 10.0.0.1, 10.0.0.2, … */
  readonly address?: string
  /** @default Infinity */
  readonly memlockLimitBytes?: number
  /** Smaller limits of the device than its usual ones. */
  readonly limits?: Partial<DeviceAttributes>
}

/** What a device counts, as `rdma statistic` shows it for real ones. */
export interface SimulatedCounters {
  /** A message found no receive posted here. Never in normal work. */
  receiverNotReady: number
  /** Requests from here that ran out of retries. */
  retriesExceeded: number
  /** Calls from here that would have blocked the thread on a real device. */
  blockingCalls: number
}

/** Random numbers from the fabric's seed, for choices that a test makes. */
export interface SeededRandom {
  /** From 0 up to, not including, 1. */
  next(): number
  /** An integer from 0 up to, not including, `limit`. */
  below(limit: number): number
  /** True with this probability. */
  chance(probability: number): boolean
}

/** A simulated machine with one process and one device. */
export interface SimulatedHost extends Verbs {
  readonly name: string
  /** Its IP address. */
  readonly address: string
  readonly counters: Readonly<SimulatedCounters>
  /** Its process was killed, or its power went. */
  readonly dead: boolean
  /** Its process dies. The kernel closes what it had, which peers see as disconnects. */
  kill(): void
  /** Its power goes. Nobody hears of it ever again. */
  powerOff(): void
  /** Its device vanishes: everything on it fails, and the process is told. */
  removeDevice(): void
  /** A device of the same name takes the place of the one that vanished. */
  restoreDevice(): void
  /** Its port changes state. Only what programs are told of is simulated: see `partition` for lost packets. */
  setPortState(state: PortState): void
  /**
   * Makes one call of this verb fail.
   * @param operation such as `ibv_create_cq`
   * @param errno such as `ENOMEM`
   * @param after how many calls succeed before. @default 0
   */
  failCall(operation: string, errno: string, after?: number): void
}

/** A simulated network of hosts. */
export interface SimulatedFabric {
  readonly mode: SimulationMode
  readonly seed: number
  readonly random: SeededRandom
  readonly hosts: readonly SimulatedHost[]
  /** The time in milliseconds. */
  readonly nowMs: number
  /** Steps taken so far. */
  readonly steps: number
  /** The latest steps, one a line: what to print when a test fails. */
  readonly trace: string
  /** Called before each step with its number: may do to the fabric and its hosts whatever can happen to them. */
  onStep: ((step: number) => void) | undefined
  createHost(options?: SimulatedHostOptions): SimulatedHost
  /**
   * Runs until the promise settles. Rejects as it does, and with `ERR_NETTS_TIMEOUT` when nothing can ever settle it, or
   * nothing did within an hour of virtual time.
   */
  settle<T>(promise: PromiseLike<T>): Promise<T>
  /** Runs until nothing more happens at this time. */
  run(): Promise<void>
  /** Runs for so many milliseconds of virtual time. */
  advance(ms: number): Promise<void>
  /**
   * The program computes for so many milliseconds of virtual time without a return to its event loop: devices and the
   * network go on, and what they bring waits with the timers that became due.
   */
  block(ms: number): void
  /** Cuts two hosts off from each other: packets between them are lost until `heal`. */
  partition(a: SimulatedHost, b: SimulatedHost): void
  /** Mends every cut. */
  heal(): void
}
