/** The errors that drivers make themselves. */
import { formatAddress, type HostAddress, NettsError } from '@netts/core'
import { ResetReason } from './protocol/frame.js'

/** The peer sent what the protocol forbids. */
export function brokenProtocol(what: string, address: HostAddress): NettsError {
  const message = `the peer ${formatAddress(address)} broke the protocol: it sent ${what}`
  return new NettsError('ERR_NETTS_PROTOCOL', message, { address })
}

/** The peer sent RESET. */
export function resetByPeer(reason: number, address: HostAddress): NettsError {
  const peer = `the peer ${formatAddress(address)}`
  if (reason === ResetReason.protocol) {
    return new NettsError('ERR_NETTS_PROTOCOL', `${peer} says that this end broke the protocol`, { address })
  }
  const message =
    reason === ResetReason.timeout ? `${peer} gave up waiting for this end` : `${peer} reset the connection`
  return new NettsError('ERR_NETTS_RESET', message, { address })
}

/** The device has no room for what it granted. */
export function queueOverrun(operation: string): NettsError {
  const message = `${operation}: the queue is full although it has room for everything that is outstanding`
  return new NettsError('ERR_NETTS_VERBS', message, { operation })
}
