/** From an event of the connection manager, as numbers, to the interface's event. */
import type { CmEvent, CmId, CmRejectedEvent } from '../verbs/cm.js'
import { errnoName } from './errno.js'
import type { NativeCmEvent } from './native-binding.js'

/** In the order of `enum rdma_cm_event_type`. */
const TYPES = [
  'address-resolved',
  'address-error',
  'route-resolved',
  'route-error',
  'connect-request',
  'connect-response',
  'connect-error',
  'unreachable',
  'rejected',
  'established',
  'disconnected',
  'device-removal',
  'multicast-join',
  'multicast-error',
  'address-change',
  'timewait-exit',
] as const

/** `enum ib_cm_rej_reason` of the kernel's `rdma/ib_cm.h`: the service id is not listened on. */
const IB_CM_REJ_INVALID_SERVICE_ID = 8
/** The same: a program called `rdma_reject`. */
const IB_CM_REJ_CONSUMER_DEFINED = 28

/**
 * @param iwarp rejections carry an errno there
 * @returns undefined for the event types that a reliable connection never gets
 */
export function cmEventOf(native: NativeCmEvent, iwarp: boolean, request: () => CmId): CmEvent | undefined {
  const type = TYPES[native.type]
  const { privateData, responderResources, initiatorDepth } = native
  switch (type) {
    case 'address-error':
    case 'route-error':
    case 'connect-error':
    case 'unreachable':
      return { type, status: errnoName(-native.status) }
    case 'connect-request':
      return { type, id: request(), privateData, responderResources, initiatorDepth }
    case 'rejected':
      return {
        type,
        reason: rejectReason(native.status, iwarp),
        status: Math.abs(native.status),
        privateData,
      }
    case 'established':
      return { type, privateData }
    case 'address-resolved':
    case 'route-resolved':
    case 'disconnected':
    case 'device-removal':
    case 'address-change':
    case 'timewait-exit':
      return { type }
    default:
      return undefined
  }
}

function rejectReason(status: number, iwarp: boolean): CmRejectedEvent['reason'] {
  // iWARP's request travels over an established TCP connection, so somebody listened; a reply that says no is
  // ECONNRESET (siw) or ECONNREFUSED (others) to the CM.
  if (iwarp) return ['ECONNRESET', 'ECONNREFUSED'].includes(errnoName(-status)) ? 'listener' : 'other'
  if (status === IB_CM_REJ_CONSUMER_DEFINED) return 'listener'
  return status === IB_CM_REJ_INVALID_SERVICE_ID ? 'nobody-listening' : 'other'
}
