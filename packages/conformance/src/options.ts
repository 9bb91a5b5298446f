/** What the suite is told: the driver, where its tests may listen, and what it claims to be able to do. */
import type {
  Address,
  Connection,
  ConnectionOptions,
  TransportBuilder,
  TransportCapabilities,
} from '@netts/core'

/** What a crashable peer does until it is killed. It is plain data, fit for a command line. */
export interface PeerTask {
  /** Connects to `address`, or listens there and accepts one connection. */
  readonly role: 'connect' | 'listen'
  /** The address to connect to, or to listen on. */
  readonly address: Address
  /** How many bytes it sends before it falls silent. */
  readonly byteLength: number
}

/** A peer that can be made to crash; most often a process of its own that runs {@link runPeerTask}. */
export interface CrashablePeer {
  /** Where it listens, when its role is to listen. */
  readonly address: Address
  /** Crashes it, without a word to the other side: SIGKILL, a power cut. */
  crash(): void | Promise<void>
}

/** Counts of whatever must not leak, by name: file descriptors, queue pairs, memory regions, bytes pinned. */
export type ResourceCounts = Readonly<Record<string, number>>

/** One test's ground: made by `setup`, disposed of by `teardown`. */
export interface ConformanceFixture {
  /** Connects; listens as well unless {@link listenBuilder} is there. */
  readonly builder: TransportBuilder
  /** Listens, where that takes another configuration. @default `builder` */
  readonly listenBuilder?: TransportBuilder | undefined
  /** Somewhere to listen: not used yet, or with port 0. */
  listenAddress(): Address
  /** Where a connection attempt gets no answer at all. Without it the rule about deadlines is skipped. */
  silentAddress?(): Address | Promise<Address>
  /**
   * Makes a connection: for what gives connections of its own, such as a pool, whose are to keep the rules about messages.
   * @default one over a transport of {@link builder}
   */
  connect?(address: Address, options: ConnectionOptions | undefined): Promise<Connection>
  /**
   * How long a silent peer is taken for alive, in milliseconds, where the driver has a keepalive: a program that is busy
   * for longer must not lose a connection by it. @default 0, for none
   */
  readonly keepaliveMs?: number | undefined
  /**
   * Starts a peer that can crash. Without it the rules about crashes are skipped, and one fails for a driver that
   * claims `detectsPeerCrash`.
   */
  startCrashablePeer?(task: PeerTask): Promise<CrashablePeer>
  /**
   * Counts what must not leak. @default open file descriptors (where `/proc` has them) and the active handles
   * of the event loop
   */
  resources?(): ResourceCounts | Promise<ResourceCounts>
}

/** Options of {@link transportConformance}. */
export interface ConformanceOptions {
  /** The driver and its mode, such as `tcp over IPv6`. */
  readonly name: string
  /** What the driver claims. Every transport must say the same, and the claims are tested. */
  readonly capabilities: TransportCapabilities
  /** Makes a test's ground; called before each test. */
  setup(): ConformanceFixture | Promise<ConformanceFixture>
  /** Disposes of it; called after each test, also a failed one. */
  teardown?(fixture: ConformanceFixture): void | Promise<void>
  /** The runner's `describe`, of vitest, node:test, mocha or jest. */
  describe(name: string, body: () => void): unknown
  /** The runner's `it`. */
  it(name: string, body: (this: unknown, ...args: unknown[]) => Promise<void>): unknown
  /**
   * How long nothing may happen before a test fails; never what makes it pass. Timeouts that a test sets itself are
   * this / 500, at least 20 ms, or a few times that. @default 10000
   */
  readonly deadlineMs?: number | undefined
  /** How many bytes the bulk tests move each way. @default 4 MiB */
  readonly bulkByteLength?: number | undefined
  /** How many connections are opened at once where a test is about that. @default 200 */
  readonly connections?: number | undefined
  /**
   * The most that a connection may take from a writer whose reader does not read, beyond `recvWindow`: send
   * slots, and the kernel's buffers where there are any. @default 32 MiB
   */
  readonly bufferedByteLength?: number | undefined
  /**
   * The driver accepts no more than the peer has room for, as with credits: then the wire takes all of it at once, also
   * from a writer whose reader does not read, and nothing stays queued. @default false
   */
  readonly creditBased?: boolean | undefined
  /**
   * A completed send has arrived, and a reset is seen although the whole receive window is held: so it is where the wire
   * itself sees a crash. What is detected above the wire, as by TLS, does without. @default `detectsPeerCrash`
   */
  readonly completionIsArrival?: boolean | undefined
  /** Where random schedules begin; a failure names the one to replay. @default chosen by chance */
  readonly seed?: number | undefined
  /** How many random schedules are run. @default 20 */
  readonly schedules?: number | undefined
  /** Also the rule that needs many seconds: the default deadline of `disconnect`, 5 s. @default false */
  readonly slow?: boolean | undefined
}

/** Options that are numbers or switches, with every default filled in. */
export interface Settings {
  readonly capabilities: TransportCapabilities
  readonly deadlineMs: number
  readonly bulkByteLength: number
  readonly connections: number
  readonly bufferedByteLength: number
  readonly creditBased: boolean
  readonly completionIsArrival: boolean
  readonly seed: number
  readonly schedules: number
  readonly slow: boolean
  /** Timeouts that a test sets and lets pass, or not: longer on machines whose deadlines are, in milliseconds. */
  readonly shortMs: number
}

/** Fills the defaults in. */
export function settingsOf(options: Omit<ConformanceOptions, 'describe' | 'it'>): Settings {
  const deadlineMs = options.deadlineMs ?? 10_000
  return {
    capabilities: options.capabilities,
    deadlineMs,
    shortMs: Math.max(20, Math.ceil(deadlineMs / 500)),
    bulkByteLength: options.bulkByteLength ?? 4 * 2 ** 20,
    connections: options.connections ?? 200,
    bufferedByteLength: options.bufferedByteLength ?? 32 * 2 ** 20,
    creditBased: options.creditBased ?? false,
    completionIsArrival: options.completionIsArrival ?? options.capabilities.detectsPeerCrash,
    seed: options.seed ?? Math.floor(Math.random() * 2 ** 32),
    schedules: options.schedules ?? 20,
    slow: options.slow ?? false,
  }
}
