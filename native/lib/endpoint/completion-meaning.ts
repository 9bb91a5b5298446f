/** What a completion says about its connection. */
import type { HostAddress, NettsError } from '@netts/core'
import type { Device } from '../verbs/device.js'
import { completionError } from '../verbs/errors.js'
import { CompletionOpcode, CompletionStatus } from '../verbs/layout.js'

/**
 * Whether, on iWARP, the peer took part in a completion: a Send or Write completes as soon as the local TCP took it.
 */
export function isSignOfLife(opcode: number): boolean {
  return opcode !== CompletionOpcode.send && opcode !== CompletionOpcode.write
}

/** Whether a request failed because the connection had ended. */
export function tellsOfTheEnd(status: number, { transport }: Device): boolean {
  switch (status) {
    case CompletionStatus.flushed:
    // The peer's queue pair failed by itself (InfiniBand Architecture 9.9.5.2), as when a process is killed while a
    // message arrives: its memory is gone before its queue pair.
    case CompletionStatus.remoteOperationError:
      return true
    // siw gives this status to a request that it was writing when the peer closed the stream (siw_qp_sq_process() in
    // siw_qp_tx.c).
    case CompletionStatus.localQpOperationError:
      return transport === 'iwarp'
    default:
      return false
  }
}

/** The error with which a connection ends because a request failed. */
export function completionFailure(
  status: number,
  vendorError: number,
  { device, remoteAddress }: { readonly device: Device; readonly remoteAddress: HostAddress },
): NettsError {
  const silent = status === CompletionStatus.retryExceeded || status === CompletionStatus.responseTimeout
  return completionError('the connection', status, vendorError, {
    address: remoteAddress,
    device: device.name,
    code: silent
      ? 'ERR_NETTS_PEER_LOST'
      : tellsOfTheEnd(status, device)
        ? 'ERR_NETTS_RESET'
        : 'ERR_NETTS_VERBS',
  })
}
