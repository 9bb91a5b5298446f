/** Errors of verbs: what the kernel or the device refused, with the errno or the completion status as the cause. */
import { type Address, NettsError, type NettsErrorCode } from '@netts/core'
import { COMPLETION_STATUS_NAMES } from './layout.js'

/** The `cause` of an `ERR_NETTS_VERBS` from a call that failed with an errno. */
export interface VerbsCallFailure extends Error {
  /** The errno's name, such as `ENOMEM`. */
  readonly code: string
  /** The function of libibverbs or librdmacm that failed, such as `ibv_reg_mr`. */
  readonly syscall: string
}

/** The `cause` of an error from a work request that failed, see {@link completionError}. */
export interface CompletionFailure extends Error {
  /** The status's name in `infiniband/verbs.h`, such as `IBV_WC_RETRY_EXC_ERR`. */
  readonly code: string
  /** Its number, one of {@link CompletionStatus}. */
  readonly status: number
  /** The device's own error number, for its vendor's support. */
  readonly vendorError: number
}

/** What is known of the place where an error happened. */
export interface VerbsErrorContext {
  /** The peer's address, or the one listened at: becomes the error's `address`. @default none */
  readonly address?: Address | undefined
  /** The device's name, for the message. @default none */
  readonly device?: string | undefined
  /** The error's `code`. @default 'ERR_NETTS_VERBS' */
  readonly code?: NettsErrorCode
  /** A sentence at the end of the message, such as what to do. @default none */
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

/**
 * The error for a call that failed with an errno. It is returned, not thrown.
 * @param operation the function, such as `ibv_reg_mr`
 * @param errnoName such as `ENOMEM`
 */
export function callError(operation: string, errnoName: string, context: VerbsErrorContext = {}): NettsError {
  const cause = Object.assign(new Error(`${operation}: ${errnoName}`), {
    code: errnoName,
    syscall: operation,
  }) satisfies VerbsCallFailure
  return fail(operation, errnoName, cause, context)
}

/**
 * The name of a {@link CompletionStatus} in `infiniband/verbs.h`, such as `IBV_WC_WR_FLUSH_ERR`; `IBV_WC_` and the number
 * for one that is not there.
 */
export function completionStatusName(status: number): string {
  return COMPLETION_STATUS_NAMES[status] ?? `IBV_WC_${status}`
}

/**
 * The error for a work request that completed with another status than success; its `cause` is a
 * {@link CompletionFailure}. It is returned, not thrown.
 * @param operation what failed, for the message
 * @param status the completion's, one of {@link CompletionStatus}
 * @param vendorError the completion's
 */
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
