/** The errors of a connection, except those of its sender and its receiver. */
import type { Address } from '../address.js'
import { NettsError } from '../errors.js'

/** The peer began a message and does not continue it. */
export function incompleteError(timeoutMs: number, address: Address): NettsError {
  return new NettsError('ERR_NETTS_TIMEOUT', `the peer left a message incomplete for ${timeoutMs} ms`, {
    operation: 'recv',
    address,
  })
}

/** The program destroyed the connection. @param cause the argument of `destroy` */
export function destroyedError(cause: unknown, address: Address): NettsError {
  return new NettsError('ERR_NETTS_DESTROYED', 'the connection was destroyed', {
    cause,
    operation: 'destroy',
    address,
  })
}

/** Nothing can be sent any more. @param hasFinished whether only this side has ended */
export function closedError(hasFinished: boolean, address: Address): NettsError {
  const message = hasFinished ? 'this side of the connection has finished' : 'the connection is closed'
  return new NettsError('ERR_NETTS_CLOSED', message, { operation: 'send', address })
}

/** Messages are received in another way. @param how such as `by the callback of onMessage` */
export function receivedOtherwise(how: string): NettsError {
  return new NettsError('ERR_NETTS_INVALID_STATE', `messages of this connection are received ${how}`, {
    operation: 'recv',
  })
}
