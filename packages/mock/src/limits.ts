/** What bounds a mock transport: the configuration that its builder carries. */
import { checkInteger, invalidArgument } from '@netts/core/driver'

/** The bounds of one end of a mock connection, all of them real: nothing goes beyond them. */
export interface MockLimits {
  /** The most bytes that one send takes; at least 1024. @default 16384 */
  readonly maxSendSize: number
  /** How many sends may be in flight; another one is refused until one completed. @default 16 */
  readonly sendSlots: number
  /** How many of the peer's sends may lie here unreleased; the next one waits at the peer. @default 64 */
  readonly recvSlots: number
  /** How many received bytes may lie here unreleased; at least `maxSendSize`. @default 262144 */
  readonly recvWindow: number
}

const DEFAULT_LIMITS: MockLimits = {
  maxSendSize: 16_384,
  sendSlots: 16,
  recvSlots: 64,
  recvWindow: 262_144,
}

/** What limits are called. */
export const LIMIT_NAMES: readonly string[] = Object.keys(DEFAULT_LIMITS)

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a limit out of range */
export function checkLimits(options: Partial<MockLimits>): MockLimits {
  const limit = (name: keyof MockLimits, least: number, most: number) =>
    checkInteger(name, options[name] ?? DEFAULT_LIMITS[name], least, most)
  const limits: MockLimits = {
    maxSendSize: limit('maxSendSize', 1024, 2 ** 30),
    sendSlots: limit('sendSlots', 1, 2 ** 20),
    recvSlots: limit('recvSlots', 1, 2 ** 20),
    recvWindow: limit('recvWindow', 1024, 2 ** 30),
  }
  if (limits.recvWindow < limits.maxSendSize) {
    throw invalidArgument(
      `recvWindow (${limits.recvWindow}) must hold at least one send of maxSendSize (${limits.maxSendSize})`,
    )
  }
  return Object.freeze(limits)
}
