/** Asks the peer's device for an answer, after everything posted so far. It needs no receive at the peer. */
import { SendFlag, SendOpcode } from '../verbs/layout.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import { writeSend } from '../verbs/records.js'
import { workRequestIdLow } from './work-request-id.js'

/**
 * Posts the question as send record `at`; the answer is its completion, whose id has this kind.
 * @throws NettsError `ERR_NETTS_VERBS` when the device refuses
 */
export function askPeer(queuePair: QueuePair, isIwarp: boolean, kind: number, at: number): void {
  writeSend(queuePair, at, {
    id: BigInt(workRequestIdLow(kind, 0)),
    // On iWARP a Write is complete once TCP has it; a Read is only when the peer answered.
    opcode: isIwarp ? SendOpcode.read : SendOpcode.write,
    flags: SendFlag.signalled,
  })
  queuePair.postSend(1, at)
}
