/** Makes NettsErrors of the errors that the addon throws. */
import { ERROR_CODES, NettsError, type NettsErrorCode } from '@netts/core'
import { callError, type VerbsErrorContext } from '../verbs/errors.js'

/** An error thrown by the addon: an errno with the call that failed, or a mistake of the program. */
interface NativeFailure extends Error {
  /** The errno's name, or a {@link NettsErrorCode}. */
  readonly code?: string
  readonly syscall?: string
  /** Work requests that were posted before the one that failed. */
  readonly posted?: number
}

/** The NettsError for an error of the addon. Anything else is returned as it is. */
export function translate(thrown: unknown, context: VerbsErrorContext = {}): unknown {
  const { code, syscall, message, posted } = thrown as NativeFailure
  if (code === undefined) return thrown
  if (syscall !== undefined) {
    const error = callError(syscall, code, context)
    return posted === undefined ? error : Object.assign(error, { posted })
  }
  return code in ERROR_CODES ? new NettsError(code as NettsErrorCode, message) : thrown
}

/** Runs a native call; its errors become NettsErrors. */
export function attempt<T>(call: () => T, context?: VerbsErrorContext): T {
  try {
    return call()
  } catch (thrown) {
    throw translate(thrown, context)
  }
}
