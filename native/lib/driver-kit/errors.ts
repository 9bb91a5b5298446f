/** The errors that drivers over RDMA create. They are returned, not thrown. */
import { formatAddress, type HostAddress, NettsError } from '@netts/core'
import { ResetReason } from './protocol/frame.js'

/**
 * `ERR_NETTS_PROTOCOL`: the peer sent something that the protocol forbids.
 * @param what it sent, such as `DATA while finished`; the end of the message
 * @param address the peer's
 */
export function brokenProtocol(what: string, address: HostAddress): NettsError {
  const message = `the peer ${formatAddress(address)} broke the protocol: it sent ${what}`
  return new NettsError('ERR_NETTS_PROTOCOL', message, { address })
}

/**
 * The error for a RESET from the peer: `ERR_NETTS_PROTOCOL` or `ERR_NETTS_RESET`.
 * @param reason a {@link ResetReason}
 */
export function resetByPeer(reason: number, address: HostAddress): NettsError {
  const peer = `the peer ${formatAddress(address)}`
  if (reason === ResetReason.protocol) {
    return new NettsError('ERR_NETTS_PROTOCOL', `${peer} says that this end broke the protocol`, { address })
  }
  const message =
    reason === ResetReason.timeout ? `${peer} gave up waiting for this end` : `${peer} reset the connection`
  return new NettsError('ERR_NETTS_RESET', message, { address })
}

/**
 * `ERR_NETTS_VERBS`: the device took fewer work requests than the room that it granted.
 * @param operation such as `ibv_post_send`
 */
export function queueOverrun(operation: string): NettsError {
  const message = `${operation}: the queue is full although it has room for everything that is outstanding`
  return new NettsError('ERR_NETTS_VERBS', message, { operation })
}
