/** Translates an event of the connection manager, as the addon reports it, to the interface's event. */
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
 * @param iwarp whether the device is one of iWARP, where the status of a rejection is an errno
 * @param request makes the id of a connect request
 * @returns `undefined` for the event types that a reliable connection does not get
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
  // An iWARP request goes over an established TCP connection, so there was a listener. For a reply that refuses, the CM
  // reports ECONNRESET (siw) or ECONNREFUSED (others).
  if (iwarp) return ['ECONNRESET', 'ECONNREFUSED'].includes(errnoName(-status)) ? 'listener' : 'other'
  if (status === IB_CM_REJ_CONSUMER_DEFINED) return 'listener'
  return status === IB_CM_REJ_INVALID_SERVICE_ID ? 'nobody-listening' : 'other'
}
