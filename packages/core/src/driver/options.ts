/** Checks of options that came from the outside: refused before anything happens. */
import { invalidArgument } from '../errors.js'

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless `value` is an object: `null` is none */
export function checkObject<T extends object>(name: string, value: T): T {
  if (typeof value !== 'object' || value === null) {
    throw invalidArgument(`${name} must be an object, not ${String(value)}`)
  }
  return value
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless `value` is an integer within the range */
export function checkInteger(name: string, value: unknown, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalidArgument(`${name} must be an integer from ${least} to ${most}, not ${String(value)}`)
  }
  return value as number
}

/** The longest that setTimeout can wait: 2^31 - 1 ms, about 24.8 days. */
const MAX_TIMEOUT_MS = 0x7fffffff

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless `value` is a time in ms that a timer can wait, or 0 */
export function checkTimeout(name: string, value: unknown): number {
  return checkInteger(name, value, 0, MAX_TIMEOUT_MS)
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless `value` is a boolean */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidArgument(`${name} must be a boolean, not ${String(value)}`)
  return value
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless `value` is one of the choices */
export function checkChoice<C extends string>(name: string, value: unknown, choices: readonly C[]): C {
  if (!choices.includes(value as C)) {
    throw invalidArgument(`${name} must be one of ${choices.join(', ')}, not ${String(value)}`)
  }
  return value as C
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless `value` is an AbortSignal or undefined */
export function checkSignal(value: unknown): AbortSignal | undefined {
  if (value !== undefined && !(value instanceof AbortSignal)) {
    throw invalidArgument('signal must be an AbortSignal')
  }
  return value
}
