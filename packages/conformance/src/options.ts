/** The options of the suite: the driver, the addresses for its tests, and what the driver claims to support. */
import type {
  Address,
  Connection,
  ConnectionOptions,
  TransportBuilder,
  TransportCapabilities,
} from '@netts/core'

/** The task of a crashable peer, for {@link runPeerTask}. It is plain data: pass it to a process as JSON. */
export interface PeerTask {
  /** Connects to `address`, or listens there and accepts one connection. */
  readonly role: 'connect' | 'listen'
  /** The address to connect to, or to listen on. */
  readonly address: Address
  /** How many bytes it sends; afterwards it neither reads nor ends. */
  readonly byteLength: number
}

/** A peer that can be made to crash, mostly a separate process that runs {@link runPeerTask}. */
export interface CrashablePeer {
  /** The address on which it listens, if its role is to listen. */
  readonly address: Address
  /** Crashes it, so that it sends nothing more to the other side: kill the process with SIGKILL, for example. */
  crash(): void | Promise<void>
}

/** Counts of what must not leak, by name: file descriptors, queue pairs, memory regions, pinned bytes. */
export type ResourceCounts = Readonly<Record<string, number>>

/** What one test uses: made by `setup` before it, and disposed of by `teardown` after it. */
export interface ConformanceFixture {
  /** The driver under test. It connects, and listens too unless there is a {@link listenBuilder}. */
  readonly builder: TransportBuilder
  /** The driver that listens, if that needs another configuration. @default `builder` */
  readonly listenBuilder?: TransportBuilder | undefined
  /** Returns an address to listen on: one that is not in use, or with port 0. */
  listenAddress(): Address
  /** Returns an address where an attempt to connect gets no answer. Without it the rule about deadlines is skipped. */
  silentAddress?(): Address | Promise<Address>
  /**
   * Makes a connection, if something other than the driver does, such as a pool.
   * @default a connection over a transport of {@link builder}
   */
  connect?(address: Address, options: ConnectionOptions | undefined): Promise<Connection>
  /**
   * After how long the driver's keepalive takes a silent peer for lost, in milliseconds. The suite tests that a program that
   * is busy for longer does not lose a connection. @default 0: the driver has no keepalive
   */
  readonly keepaliveMs?: number | undefined
  /**
   * Starts a peer that can crash. Without it the rules about crashes are skipped, and one rule fails for a driver that
   * claims `detectsPeerCrash`.
   */
  startCrashablePeer?(task: PeerTask): Promise<CrashablePeer>
  /**
   * Counts what must not leak. @default open file descriptors (on systems with `/proc`), and the active handles of the event
   * loop
   */
  resources?(): ResourceCounts | Promise<ResourceCounts>
}

/** Options of {@link transportConformance} and {@link connectionConformance}. */
export interface ConformanceOptions {
  /** The name of the driver and its mode, for the names of the tests, such as `tcp over IPv6`. */
  readonly name: string
  /** What the driver claims. Every transport must have the same `capabilities`, and the claims are tested. */
  readonly capabilities: TransportCapabilities
  /** Makes what a test uses. Called before each test. */
  setup(): ConformanceFixture | Promise<ConformanceFixture>
  /** Disposes of it. Called after each test, also after a failure. */
  teardown?(fixture: ConformanceFixture): void | Promise<void>
  /** The `describe` of the test runner: vitest, node:test, mocha or jest. */
  describe(name: string, body: () => void): unknown
  /** The `it` of the test runner. */
  it(name: string, body: (this: unknown, ...args: unknown[]) => Promise<void>): unknown
  /**
   * After how long without any event a test fails, in milliseconds. A test never passes because of it; raise it on slow
   * machines. Timeouts that a test sets itself are a 500th of it, at least 20 ms, or a few times that. @default 10000
   */
  readonly deadlineMs?: number | undefined
  /** How many bytes the bulk tests send in each direction. Lower it on slow machines. @default 4194304 (4 MiB) */
  readonly bulkByteLength?: number | undefined
  /** How many connections the tests about many connections open at the same time. @default 200 */
  readonly connections?: number | undefined
  /**
   * The most bytes that a connection may accept, beyond `recvWindow`, from a writer whose reader does not read: in send
   * slots and buffers of the kernel. @default 33554432 (32 MiB)
   */
  readonly bufferedByteLength?: number | undefined
  /**
   * Whether the driver accepts no more bytes than the peer has room for, as with credits. The wire then takes all of them at
   * once, also when the reader does not read, and nothing stays queued. @default false
   */
  readonly creditBased?: boolean | undefined
  /**
   * Whether a completed send has arrived at the peer, and a reset is seen although the whole receive window is held. That is
   * so where the wire itself detects a crash; set it to `false` for a layer above the wire, such as TLS.
   * @default `capabilities.detectsPeerCrash`
   */
  readonly completionIsArrival?: boolean | undefined
  /** The seed of the first random schedule. A failure names the seed to replay. @default random */
  readonly seed?: number | undefined
  /** How many random schedules are run. @default 20 */
  readonly schedules?: number | undefined
  /** Whether to run the rule about the default deadline of `disconnect` too, which takes many seconds. @default false */
  readonly slow?: boolean | undefined
}

/** The options that are numbers or switches, with every default. */
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
  /** The timeout that tests set themselves, in milliseconds; longer with a longer `deadlineMs`. */
  readonly shortMs: number
}

/** Fills in the defaults. */
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
