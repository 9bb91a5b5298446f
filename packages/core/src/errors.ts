/**
 * The one error type of netts, and the table of every code it can carry.
 *
 * Errors have a registered symbol as a brand, so that two copies of this package in one process (an ESM and a CJS one, for
 * example) recognise each other's errors.
 */
import { type Address, formatAddress } from './address.js'

/**
 * Every code a {@link NettsError} can carry, with what it means. The documentation's table is checked
 * against this object.
 */
export const ERROR_CODES = {
  ERR_NETTS_INVALID_ARGUMENT: 'An argument or option has the wrong type, shape or range. Nothing happened.',
  ERR_NETTS_INVALID_STATE:
    'The call is not possible in the present state, such as sending on a transport after its finish().',
  ERR_NETTS_ABORTED: 'The operation was cancelled through its AbortSignal; the reason is the cause.',
  ERR_NETTS_TIMEOUT: 'The operation did not complete within its deadline.',
  ERR_NETTS_CONNECT_FAILED: 'No connection could be made: refused, unreachable, or the name did not resolve.',
  ERR_NETTS_REJECTED: 'The listener turned the connection request down and said why.',
  ERR_NETTS_LISTEN_FAILED: 'Listening failed: the address is in use, not local, or not permitted.',
  ERR_NETTS_RESET: 'The peer, or the network, ended the connection without finishing.',
  ERR_NETTS_PEER_LOST: 'The peer stopped answering: it crashed, or the path to it is gone.',
  ERR_NETTS_DESTROYED: 'The local side destroyed the transport or connection.',
  ERR_NETTS_CLOSED:
    'The connection, listener or pool was closed, or this side of the connection finished, before the operation could complete.',
  ERR_NETTS_TRUNCATED: 'The peer finished in the middle of a message.',
  ERR_NETTS_MESSAGE_TOO_LARGE: 'The message exceeds maxMessageSize; nothing of it was sent.',
  ERR_NETTS_PROTOCOL: 'The peer sent something that the protocol forbids.',
  ERR_NETTS_POOL_EXHAUSTED:
    'The buffer pool has no free buffer that is large enough, or the connection pool no connection to lend.',
  ERR_NETTS_BUFFER_RELEASED: 'A pooled buffer or lease was used, or released again, after its release.',
  ERR_NETTS_BUFFER_DETACHED:
    'The memory of a send was transferred or resized before all of it had been sent.',
  ERR_NETTS_CONNECTION_RELEASED:
    'A pooled connection was used, or given back again, after it was given back.',
  ERR_NETTS_FOREIGN_BUFFER: 'The pooled buffer lives in memory that this transport cannot send from.',
  ERR_NETTS_INTERNAL:
    'A driver, or a callback given to one, threw; the cause is what it threw. Only this connection ended.',
  ERR_NETTS_TLS:
    'TLS failed: the handshake failed, a certificate was refused, or a record was changed in transit; the cause says which.',
  ERR_NETTS_UNSUPPORTED: 'This driver, device or platform cannot do that.',
  ERR_NETTS_UNAVAILABLE: 'RDMA cannot be used here; the message says why and what to do about it.',
  ERR_NETTS_VERBS: 'A verbs or connection-manager call failed; the cause carries its errno or status.',
} as const

/** A stable code, for programs to test. Messages may change between versions. */
export type NettsErrorCode = keyof typeof ERROR_CODES

/** Details of a {@link NettsError}, in addition to its code and message. */
export interface NettsErrorDetails {
  /** The error that led to this one: a Node.js system error, an abort reason, a completion status. */
  cause?: unknown
  /** The operation that failed, such as `connect` or `ibv_post_send`. */
  operation?: string
  /** The address concerned, where there is one. */
  address?: Address
}

const brand = Symbol.for('@netts/core/error')

/** The values of {@link NettsError.name}. */
export type NettsErrorName = 'NettsError' | 'AbortError' | 'TimeoutError'

/** The error that netts throws and rejects with. It has a stable {@link NettsErrorCode}. */
export class NettsError extends Error {
  /**
   * `AbortError` when an AbortSignal ended the operation; `TimeoutError` when a deadline ended it, an option or the signal
   * of `AbortSignal.timeout`; otherwise `NettsError`. The first two are the names that Node.js uses.
   */
  override readonly name: NettsErrorName
  /** The stable code; {@link ERROR_CODES} lists them all. */
  readonly code: NettsErrorCode
  /** The operation that failed, where one can be named. */
  readonly operation: string | undefined
  /** The address concerned, where there is one. */
  readonly address: Address | undefined

  constructor(code: NettsErrorCode, message: string, details: NettsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = nameOf(code, details.cause)
    this.code = code
    this.operation = details.operation
    this.address = details.address
    Object.defineProperty(this, brand, { value: true })
  }

  /** `instanceof` is true for the errors of every copy of this package in the process; for a derived class as usual. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: which class is asked is the point
    return this === NettsError ? isNettsError(value) : super[Symbol.hasInstance](value)
  }
}

function nameOf(code: NettsErrorCode, cause: unknown): NettsErrorName {
  if (code === 'ERR_NETTS_TIMEOUT') return 'TimeoutError'
  if (code !== 'ERR_NETTS_ABORTED') return 'NettsError'
  return (cause as Partial<Error> | null | undefined)?.name === 'TimeoutError' ? 'TimeoutError' : 'AbortError'
}

/** Whether `value` is a {@link NettsError}, made by this copy of the package or by another one. */
export function isNettsError(value: unknown): value is NettsError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
}

/** Makes an `ERR_NETTS_INVALID_ARGUMENT`, for an argument that is refused before anything happens. */
export function invalidArgument(message: string, operation?: string): NettsError {
  return new NettsError('ERR_NETTS_INVALID_ARGUMENT', message, operation === undefined ? {} : { operation })
}

/** Makes an `ERR_NETTS_ABORTED`, for an operation that its {@link AbortSignal} cancelled; its reason is the cause. */
export function aborted(signal: AbortSignal, operation: string, address?: Address): NettsError {
  return new NettsError('ERR_NETTS_ABORTED', `${operation} was aborted`, {
    cause: signal.reason,
    operation,
    ...(address && { address }),
  })
}

/** Makes an `ERR_NETTS_TIMEOUT`, for an operation that did not complete within `timeoutMs` milliseconds. */
export function timedOut(operation: string, timeoutMs: number, address?: Address): NettsError {
  const where = address ? ` to ${formatAddress(address)}` : ''
  return new NettsError('ERR_NETTS_TIMEOUT', `${operation}${where} did not complete within ${timeoutMs} ms`, {
    operation,
    ...(address && { address }),
  })
}

/** The error that ends a connection whose driver or callback threw: a NettsError as it is, else `ERR_NETTS_INTERNAL`. */
export function threw(cause: unknown, address?: Address): NettsError {
  if (isNettsError(cause)) return cause
  const what = cause instanceof Error ? cause.message : String(cause)
  return new NettsError('ERR_NETTS_INTERNAL', `a driver or callback threw: ${what}`, {
    cause,
    ...(address && { address }),
  })
}
