/** The interface of a simulation: driving it, and everything that can happen to it. */
import type { PortState } from '../verbs/device.js'
import type { DeviceAttributes } from '../verbs/device-attributes.js'
import type { Verbs } from '../verbs/verbs.js'

/** Which kind of devices is simulated: RoCE, which behaves as InfiniBand does, or iWARP with its restrictions. */
export type SimulationMode = 'roce' | 'iwarp'

/**
 * How the next step is chosen. `fair`: each possible step is equally likely. `hostile`: by priorities that change now
 * and then, so that some parts wait for long while others run.
 */
export type Schedule = 'fair' | 'hostile'

/** Options of `createSimulatedFabric`. */
export interface SimulatedFabricOptions {
  /** The kind of all its hosts' devices. */
  readonly mode: SimulationMode
  /** Of the random choices, 0 to 2^31 - 1; the same program with the same seed runs the same way. @default random */
  readonly seed?: number
  /** How the next step is chosen. @default 'fair' */
  readonly schedule?: Schedule
  /**
   * `manual`: things happen only within `settle`, `run` and `advance`, and time is virtual, so that every run can be
   * repeated. `auto`: it runs by itself on the event loop in the machine's time, so that any program can use it as it
   * would use a device. What `ref()` was called on keeps the process alive until it is closed; fake timers of test
   * runners have no effect.
   * @default 'manual'
   */
  readonly drive?: 'manual' | 'auto'
}

/** Options of {@link SimulatedFabric.createHost}. */
export interface SimulatedHostOptions {
  /** Names it in traces and messages. @default 'host1', 'host2', … */
  readonly name?: string
  /** Its IP address, unlike that of any other host. @default '10.0.0.1', '10.0.0.2', … */
  readonly address?: string
  /** How many bytes it may pin. @default Infinity */
  readonly memlockLimitBytes?: number
  /** Limits of the device instead of its usual ones. @default none */
  readonly limits?: Partial<DeviceAttributes>
}

/** What a device counts from its creation on, as `rdma statistic` shows it for real ones. */
export interface SimulatedCounters {
  /** How often a message found no receive posted here. 0 in normal work. */
  receiverNotReady: number
  /** Requests of this host that failed for too many repetitions. */
  retriesExceeded: number
  /** Calls of this host that would have blocked the thread with a real device. */
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

/**
 * A simulated machine with one process and one device. It is that process's {@link Verbs}: hand it to whatever runs
 * there. Every call on a dead host throws `ERR_NETTS_INVALID_STATE`.
 */
export interface SimulatedHost extends Verbs {
  /** {@link SimulatedHostOptions.name} */
  readonly name: string
  /** Its IP address. */
  readonly address: string
  /** What its present device has counted. */
  readonly counters: Readonly<SimulatedCounters>
  /** Whether its process was killed, or its power was cut. */
  readonly dead: boolean
  /** Its process is killed. The kernel closes what it had open, which peers see as disconnects. */
  kill(): void
  /** Its power is cut: from now on it neither sends nor answers. */
  powerOff(): void
  /** Its device is removed: everything on it fails, and the program gets `device-fatal` and `device-removal`. */
  removeDevice(): void
  /** After {@link removeDevice}: adds another device of the same name. */
  restoreDevice(): void
  /** Its port changes state, and the program gets an event. Packets still pass: see `partition` for lost packets. */
  setPortState(state: PortState): void
  /**
   * Makes one call fail, with `ERR_NETTS_VERBS`.
   * @param operation the function of libibverbs or librdmacm, such as `ibv_create_cq`
   * @param errno the cause's `code`, such as `ENOMEM`
   * @param after so many calls of it succeed before. @default 0
   */
  failCall(operation: string, errno: string, after?: number): void
}

/** A simulated network of hosts, made by {@link createSimulatedFabric}. */
export interface SimulatedFabric {
  /** The kind of its hosts' devices. */
  readonly mode: SimulationMode
  /** The seed of its random choices: the one given, or the one that was chosen. */
  readonly seed: number
  /** Random numbers from the seed, for choices of the test itself. */
  readonly random: SeededRandom
  /** What {@link createHost} made, in order. */
  readonly hosts: readonly SimulatedHost[]
  /** The time in milliseconds since it was made; virtual, unless it drives itself. */
  readonly nowMs: number
  /** How many steps were taken. */
  readonly steps: number
  /** The last 200 steps, one a line: what to print when a test fails. */
  readonly trace: string
  /**
   * Called before each step with its number. It may do anything to the fabric and its hosts that can happen to them.
   */
  onStep: ((step: number) => void) | undefined
  /** Adds a host. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` when another one has its name or address */
  createHost(options?: SimulatedHostOptions): SimulatedHost
  /**
   * Runs until the promise settles, and settles as it does. Rejects with `ERR_NETTS_TIMEOUT` when nothing is left that
   * could settle it, when an hour of virtual time has passed, or after a million steps within a millisecond. With
   * `drive: 'auto'` it only waits.
   */
  settle<T>(promise: PromiseLike<T>): Promise<T>
  /** Runs until nothing more can happen without the passing of time. */
  run(): Promise<void>
  /** Runs for so many milliseconds of virtual time. */
  advance(ms: number): Promise<void>
  /**
   * Lets virtual time pass as if the program computed for so many milliseconds without returning to its event loop:
   * devices and the network go on, and what they bring waits, as do the timers that become due.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` with `drive: 'auto'`
   */
  block(ms: number): void
  /** Cuts two hosts off from each other: no packet passes between them until {@link heal}. */
  partition(a: SimulatedHost, b: SimulatedHost): void
  /** Undoes every {@link partition}. */
  heal(): void
}
