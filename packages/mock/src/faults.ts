/** What can be made to go wrong on a mock connection. */
import { checkChoice, checkInteger, checkOptionNames, invalidArgument } from '@netts/core/driver'
import { checkLimits, LIMIT_NAMES, type MockLimits } from './limits.js'
import type { Random } from './random.js'

/** What goes wrong with what one side of a connection sends, and where that side is especially narrow. */
export interface MockSideFaults extends Partial<MockLimits> {
  /**
   * How long everything that this side sends is under way, in milliseconds of the network's clock. `connect` takes as
   * long as that of both sides: fake timers hold it back until they advance. @default 0
   */
  readonly latencyMs?: number | undefined
  /** What this side sends arrives in chunks of at most so many bytes. @default unlimited */
  readonly maxChunk?: number | undefined
  /** `sendCopy` and `sendGather` of this side take at most so many bytes at a time. @default `maxSendSize` */
  readonly maxAccept?: number | undefined
  /** After so many bytes nothing arrives any more from this side, until `resume()`. @default never */
  readonly stallAfterBytes?: number | undefined
  /**
   * Once so many of its bytes arrived, this side crashes: the peer gets `ERR_NETTS_PEER_LOST`. @default never
   */
  readonly crashAfterBytes?: number | undefined
  /**
   * Once so many of its bytes arrived, this side is gone but its kernel closes for it: the peer sees a clean end,
   * wherever in a message that is. @default never
   */
  readonly endAfterBytes?: number | undefined
}

/** Faults by chance. Each is decided by the network's seed, the connection's number and the side alone. */
export interface MockChaos {
  /** Probability that an attempt to connect is refused. @default 0 */
  readonly refuseConnect?: number | undefined
  /** Probability that a send is refused although there is capacity; the waker follows. @default 0.1 */
  readonly refuseSend?: number | undefined
  /** Probability that a send takes only a part of the data: a quarter at least. @default 0.2 */
  readonly partialAccept?: number | undefined
  /** Probability that a send arrives in several chunks. @default 0.3 */
  readonly splitChunk?: number | undefined
  /** Up to so many extra turns of the event loop pass before a send arrives. @default 3 */
  readonly delayTurns?: number | undefined
  /** Probability, for each send, that the sender crashes instead of its arrival. @default 0 */
  readonly crash?: number | undefined
}

/** What goes wrong with one connection. */
export interface MockFaults {
  /**
   * How the attempt to connect ends: `refuse` with `ERR_NETTS_CONNECT_FAILED`, `reject` with
   * `ERR_NETTS_REJECTED`, `never` not at all, until it is aborted or its deadline passes.
   * @default it connects if somebody listens
   */
  readonly connect?: 'refuse' | 'reject' | 'never' | undefined
  /** What goes wrong on the side that connects. */
  readonly client?: MockSideFaults | undefined
  /** What goes wrong on the side that accepts. */
  readonly server?: MockSideFaults | undefined
  /** Faults by chance, on both sides; `true` takes every default. @default none */
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

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a probability that is none */
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

/** What can go wrong on one side, and the least value of each. */
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

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown fault, or one out of range */
export function checkFaults(faults: MockFaults): MockFaults {
  checkOptionNames('faults', faults, ['connect', 'client', 'server', 'chaos'])
  if (faults.connect !== undefined) checkChoice('connect', faults.connect, ['refuse', 'reject', 'never'])
  if (faults.client !== undefined) checkSide('client', faults.client)
  if (faults.server !== undefined) checkSide('server', faults.server)
  chaosOf(faults)
  return faults
}

/** The faults of what one side sends, as decisions to be asked for. */
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

  /** How many of so many bytes a send takes; at least 1. */
  accepts(byteLength: number): number {
    const most = Math.min(byteLength, this.#maxAccept)
    return this.#random.chance(this.#chaos.partialAccept)
      ? this.#random.integer(Math.ceil(most / 4), most)
      : most
  }

  /** How many of so many bytes the next chunk has; at least 1. */
  chunk(byteLength: number): number {
    const most = Math.min(byteLength, this.#maxChunk)
    return this.#random.chance(this.#chaos.splitChunk) ? this.#random.integer(1, most) : most
  }

  /** How many turns a send is under way. */
  turns(): number {
    return this.#chaos.delayTurns > 0 ? this.#random.integer(1, this.#chaos.delayTurns + 1) : 1
  }

  /** Whether the sender crashes instead of a send's arrival. */
  crashes(): boolean {
    return this.#random.chance(this.#chaos.crash)
  }
}
