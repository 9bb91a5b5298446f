/** Errors of verbs: what the kernel or the device refused, with its own words as the cause. */
import { type Address, NettsError, type NettsErrorCode } from '@netts/core'
import { COMPLETION_STATUS_NAMES } from './layout.js'

/** The cause of an error that a call reported: an errno. */
export interface VerbsCallFailure extends Error {
  /** The errno's name, such as `ENOMEM`. */
  readonly code: string
  /** The function that failed, such as `ibv_reg_mr`. */
  readonly syscall: string
}

/** The cause of an error that a completion reported. */
export interface CompletionFailure extends Error {
  /** The status's name in `infiniband/verbs.h`, such as `IBV_WC_RETRY_EXC_ERR`. */
  readonly code: string
  /** Its number, one of {@link CompletionStatus}. */
  readonly status: number
  /** The device's own error number. */
  readonly vendorError: number
}

/** Where an error happened. */
export interface VerbsErrorContext {
  readonly address?: Address | undefined
  /** The device's name. */
  readonly device?: string | undefined
  /** @default ERR_NETTS_VERBS */
  readonly code?: NettsErrorCode
  /** Added to the message, such as what to do about it. */
  readonly hint?: string
}

function fail(operation: string, what: string, cause: Error, context: VerbsErrorContext): NettsError {
  const where = context.device === undefined ? '' : ` on ${context.device}`
  const hint = context.hint === undefined ? '' : `. ${context.hint}`
  return new NettsError(context.code ?? 'ERR_NETTS_VERBS', `${operation} failed${where}: ${what}${hint}`, {
    cause,
    operation,
    ...(context.address && { address: context.address }),
  })
}

/** An error for a call that failed with an errno. */
export function callError(operation: string, errnoName: string, context: VerbsErrorContext = {}): NettsError {
  const cause = Object.assign(new Error(`${operation}: ${errnoName}`), {
    code: errnoName,
    syscall: operation,
  }) satisfies VerbsCallFailure
  return fail(operation, errnoName, cause, context)
}

/** The name of a completion status in `infiniband/verbs.h`. */
export function completionStatusName(status: number): string {
  return COMPLETION_STATUS_NAMES[status] ?? `IBV_WC_${status}`
}

/** An error for a work request that completed with another status than success. */
export function completionError(
  operation: string,
  status: number,
  vendorError: number,
  context: VerbsErrorContext = {},
): NettsError {
  const name = completionStatusName(status)
  const cause = Object.assign(new Error(`${operation} completed with ${name}`), {
    code: name,
    status,
    vendorError,
  }) satisfies CompletionFailure
  return fail(operation, `${name} (vendor error ${vendorError})`, cause, context)
}
