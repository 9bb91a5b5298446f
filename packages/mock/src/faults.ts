/** The faults of a mock connection. */
import { checkChoice, checkInteger, checkOptionNames, invalidArgument } from '@netts/core/driver'
import { checkLimits, LIMIT_NAMES, type MockLimits } from './limits.js'
import type { Random } from './random.js'

/** The faults of one side of a connection: of the bytes that it sends, and limits that replace those of its builder. */
export interface MockSideFaults extends Partial<MockLimits> {
  /**
   * The delay of everything that this side sends, the end included, in milliseconds of the network's clock. `connect` takes
   * the sum of both sides: under fake timers it waits until they advance. @default 0
   */
  readonly latencyMs?: number | undefined
  /** The most bytes of a chunk that arrives from this side; at least 1. @default unlimited */
  readonly maxChunk?: number | undefined
  /** The most bytes that `sendCopy` and `sendGather` of this side accept at once; at least 1. @default `maxSendSize` */
  readonly maxAccept?: number | undefined
  /** After this many bytes of this side nothing more arrives, until `resume()`. @default never */
  readonly stallAfterBytes?: number | undefined
  /**
   * After this many bytes of this side have arrived, it crashes: the peer gets `ERR_NETTS_PEER_LOST`, and its own transport
   * fails with `ERR_NETTS_DESTROYED`. @default never
   */
  readonly crashAfterBytes?: number | undefined
  /**
   * After this many bytes of this side have arrived, its process is killed and its kernel closes the connection: the peer
   * sees a clean end, also in the middle of a message. @default never
   */
  readonly endAfterBytes?: number | undefined
}

/**
 * Random faults of a connection. They depend only on the network's seed, the number of the connection, the side, and what the
 * program does. Probabilities are from 0 to 1.
 */
export interface MockChaos {
  /** The probability that an attempt to connect is refused with `ERR_NETTS_CONNECT_FAILED`. @default 0 */
  readonly refuseConnect?: number | undefined
  /** The probability that a send is refused although there is capacity; the waker is called afterwards. @default 0.1 */
  readonly refuseSend?: number | undefined
  /** The probability that a copying send accepts only a part of the data, at least a quarter. @default 0.2 */
  readonly partialAccept?: number | undefined
  /** The probability that a chunk is split. @default 0.3 */
  readonly splitChunk?: number | undefined
  /** The most extra turns of the event loop before a send arrives, 0 to 1000. @default 3 */
  readonly delayTurns?: number | undefined
  /** The probability, for each send, that the sender crashes before it arrives. @default 0 */
  readonly crash?: number | undefined
}

/** The faults of one connection. */
export interface MockFaults {
  /**
   * How the attempt to connect ends: `refuse` with `ERR_NETTS_CONNECT_FAILED`, `reject` with `ERR_NETTS_REJECTED`; with
   * `never` it does not end until it is aborted or its deadline passes.
   * @default it succeeds if something listens at the address
   */
  readonly connect?: 'refuse' | 'reject' | 'never' | undefined
  /** The faults of the side that connects. @default none */
  readonly client?: MockSideFaults | undefined
  /** The faults of the side that accepts. @default none */
  readonly server?: MockSideFaults | undefined
  /** Random faults of both sides; `true` uses every default. @default none */
  readonly chaos?: MockChaos | true | undefined
}

type Probabilities = { readonly [K in keyof MockChaos]-?: number }

const DEFAULT_CHAOS: Probabilities = {
  refuseConnect: 0,
  refuseSend: 0.1,
  partialAccept: 0.2,
  splitChunk: 0.3,
  delayTurns: 3,
  crash: 0,
}

const CALM: Probabilities = {
  ...DEFAULT_CHAOS,
  refuseSend: 0,
  partialAccept: 0,
  splitChunk: 0,
  delayTurns: 0,
}

const CHAOS_NAMES = Object.keys(DEFAULT_CHAOS) as (keyof MockChaos)[]

/** The probabilities of random faults. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for one out of range */
export function chaosOf(faults: MockFaults): Probabilities {
  if (faults.chaos === undefined) return CALM
  const chaos = faults.chaos === true ? {} : checkOptionNames('chaos', faults.chaos, CHAOS_NAMES)
  const chosen = { ...DEFAULT_CHAOS }
  for (const name of CHAOS_NAMES) {
    const value = chaos[name] ?? DEFAULT_CHAOS[name]
    if (name === 'delayTurns') checkInteger('chaos.delayTurns', value, 0, 1000)
    else if (!(value >= 0 && value <= 1))
      throw invalidArgument(`chaos.${name} must be from 0 to 1, not ${value}`)
    chosen[name] = value
  }
  return chosen
}

/** The faults of one side, with the least value of each. */
const SIDE_FAULTS = {
  latencyMs: 0,
  maxChunk: 1,
  maxAccept: 1,
  stallAfterBytes: 0,
  crashAfterBytes: 0,
  endAfterBytes: 0,
} as const

function checkSide(side: 'client' | 'server', faults: MockSideFaults): void {
  checkOptionNames(side, faults, [...Object.keys(SIDE_FAULTS), ...LIMIT_NAMES])
  const { maxSendSize = 1024, recvWindow = 2 ** 30 } = faults
  checkLimits({ ...faults, maxSendSize, recvWindow })
  for (const [name, least] of Object.entries(SIDE_FAULTS)) {
    const value = faults[name as keyof typeof SIDE_FAULTS]
    if (value !== undefined) checkInteger(`${side}.${name}`, value, least, Number.MAX_SAFE_INTEGER)
  }
}

/** Checks faults. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a fault that is unknown or out of range */
export function checkFaults(faults: MockFaults): MockFaults {
  checkOptionNames('faults', faults, ['connect', 'client', 'server', 'chaos'])
  if (faults.connect !== undefined) checkChoice('connect', faults.connect, ['refuse', 'reject', 'never'])
  if (faults.client !== undefined) checkSide('client', faults.client)
  if (faults.server !== undefined) checkSide('server', faults.server)
  chaosOf(faults)
  return faults
}

/** Decides the faults of the sends of one side. */
export class SendFaults {
  readonly latencyMs: number
  readonly stallAfterBytes: number
  readonly crashAfterBytes: number
  readonly endAfterBytes: number
  readonly #maxChunk: number
  readonly #maxAccept: number
  readonly #chaos: Probabilities
  readonly #random: Random

  constructor(faults: MockSideFaults, chaos: Probabilities, random: Random) {
    this.latencyMs = faults.latencyMs ?? 0
    this.stallAfterBytes = faults.stallAfterBytes ?? Infinity
    this.crashAfterBytes = faults.crashAfterBytes ?? Infinity
    this.endAfterBytes = faults.endAfterBytes ?? Infinity
    this.#maxChunk = faults.maxChunk ?? Infinity
    this.#maxAccept = faults.maxAccept ?? Infinity
    this.#chaos = chaos
    this.#random = random
  }

  /** Whether a send is refused although there is capacity. */
  refuses(): boolean {
    return this.#random.chance(this.#chaos.refuseSend)
  }

  /** How many of `byteLength` bytes a send accepts; at least 1. */
  accepts(byteLength: number): number {
    const most = Math.min(byteLength, this.#maxAccept)
    return this.#random.chance(this.#chaos.partialAccept)
      ? this.#random.integer(Math.ceil(most / 4), most)
      : most
  }

  /** How many of `byteLength` bytes are in the next chunk; at least 1. */
  chunk(byteLength: number): number {
    const most = Math.min(byteLength, this.#maxChunk)
    return this.#random.chance(this.#chaos.splitChunk) ? this.#random.integer(1, most) : most
  }

  /** After how many turns of the event loop a send arrives; at least 1. */
  turns(): number {
    return this.#chaos.delayTurns > 0 ? this.#random.integer(1, this.#chaos.delayTurns + 1) : 1
  }

  /** Whether the sender crashes before a send arrives. */
  crashes(): boolean {
    return this.#random.chance(this.#chaos.crash)
  }
}
