/** The limits of a mock transport, which its builder has as options. */
import { checkInteger, invalidArgument } from '@netts/core/driver'

/** The limits of one end of a mock connection. The mock enforces them, as a real driver does. */
export interface MockLimits {
  /** The most bytes that one send takes, 1024 to 2^30. @default 16384 (16 KiB) */
  readonly maxSendSize: number
  /** How many sends may be in flight, 1 to 2^20. Further ones are refused until one has completed. @default 16 */
  readonly sendSlots: number
  /** How many sends of the peer may be held here unreleased, 1 to 2^20. The next one waits at the peer. @default 64 */
  readonly recvSlots: number
  /** How many received bytes may be held here unreleased, `maxSendSize` to 2^30. @default 262144 (256 KiB) */
  readonly recvWindow: number
}

const DEFAULT_LIMITS: MockLimits = {
  maxSendSize: 16_384,
  sendSlots: 16,
  recvSlots: 64,
  recvWindow: 262_144,
}

/** The names of the limits. */
export const LIMIT_NAMES: readonly string[] = Object.keys(DEFAULT_LIMITS)

/** Checks limits and fills in the defaults. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for one out of range */
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
      `recvWindow (${limits.recvWindow}) must be at least maxSendSize (${limits.maxSendSize})`,
    )
  }
  return Object.freeze(limits)
}
