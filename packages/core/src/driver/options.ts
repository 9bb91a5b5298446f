/** Checks of options that a program gave. They refuse an option before anything happens. */
import { inspect } from 'node:util'
import { invalidArgument } from '../errors.js'
import { isAbortSignal } from '../runtime/abort-signals.js'

/** Formats a value for an error message, with quotes around a string. */
export function show(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 100 })
}

/**
 * Checks that an option is an object, and not `null`.
 * @param name the name of the option in the error message
 * @returns the value
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise
 */
export function checkObject<T extends object>(name: string, value: T): T {
  if (typeof value !== 'object' || value === null) {
    throw invalidArgument(`${name} must be an object, not ${show(value)}`)
  }
  return value
}

/**
 * Checks that an object has no options but the known ones. Otherwise a misspelt name would silently have no effect.
 * @param name the name of the object in the error message
 * @returns the value
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for something that is not an object, and for an unknown name; the message
 *   suggests the most similar known name
 */
export function checkOptionNames<T extends object>(name: string, value: T, known: readonly string[]): T {
  checkObject(name, value)
  for (const key in value) {
    if (known.includes(key)) continue
    const nearest = nearestTo(key, known)
    throw invalidArgument(
      `${name} has no ${show(key)}${nearest === undefined ? '' : `: did you mean ${show(nearest)}?`}`,
    )
  }
  return value
}

function nearestTo(key: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined
  let least = Math.max(2, Math.ceil(key.length / 2))
  for (const candidate of known) {
    const distance = editDistance(key.toLowerCase(), candidate.toLowerCase())
    if (distance >= least) continue
    least = distance
    nearest = candidate
  }
  return nearest
}

/** How many characters have to be added, removed or replaced (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

/**
 * Checks that an option is an integer from `least` to `most`.
 * @param name the name of the option in the error message
 * @returns the value
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise
 */
export function checkInteger(name: string, value: unknown, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalidArgument(`${name} must be an integer from ${least} to ${most}, not ${show(value)}`)
  }
  return value as number
}

/** The longest delay of setTimeout in Node.js: 2^31 - 1 ms, about 24.8 days. */
const MAX_TIMEOUT_MS = 0x7fffffff

/**
 * Checks that an option is a time in milliseconds from 0 to 2^31 - 1, the longest delay of a timer.
 * @param name the name of the option in the error message
 * @returns the value
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise
 */
export function checkTimeout(name: string, value: unknown): number {
  return checkInteger(name, value, 0, MAX_TIMEOUT_MS)
}

/**
 * Checks that an option is a boolean.
 * @param name the name of the option in the error message
 * @returns the value
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise
 */
export function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidArgument(`${name} must be a boolean, not ${show(value)}`)
  return value
}

/**
 * Checks that an option is one of the choices.
 * @param name the name of the option in the error message
 * @returns the value
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise
 */
export function checkChoice<C extends string>(name: string, value: unknown, choices: readonly C[]): C {
  if (!choices.includes(value as C)) {
    throw invalidArgument(`${name} must be one of ${choices.join(', ')}, not ${show(value)}`)
  }
  return value as C
}

/**
 * Checks that the option `signal` is an AbortSignal or `undefined`. AbortSignals of other realms are accepted.
 * @returns the value
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise
 */
export function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined || isAbortSignal(value)) return value
  throw invalidArgument(`signal must be an AbortSignal, not ${show(value)}`)
}
