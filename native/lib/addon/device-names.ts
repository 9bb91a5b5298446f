/** Names for enumerations of `infiniband/verbs.h`, which the addon reports as numbers. */
import type { DeviceEventType, Port, PortState } from '../verbs/device.js'

/** `enum ibv_port_state`, whose value is what `ibv_query_port` reports. */
export const PORT_STATES: readonly PortState[] = ['nop', 'down', 'init', 'armed', 'active', 'active-deferred']

/** `IBV_LINK_LAYER_…` */
export const LINK_LAYERS: readonly Port['linkLayer'][] = ['unspecified', 'infiniband', 'ethernet']

/** `enum ibv_event_type` */
export const DEVICE_EVENTS: readonly { readonly name: string; readonly event: DeviceEventType }[] = [
  { name: 'IBV_EVENT_CQ_ERR', event: 'cq-error' },
  { name: 'IBV_EVENT_QP_FATAL', event: 'qp-fatal' },
  { name: 'IBV_EVENT_QP_REQ_ERR', event: 'qp-request-error' },
  { name: 'IBV_EVENT_QP_ACCESS_ERR', event: 'qp-access-error' },
  { name: 'IBV_EVENT_COMM_EST', event: 'communication-established' },
  { name: 'IBV_EVENT_SQ_DRAINED', event: 'send-queue-drained' },
  { name: 'IBV_EVENT_PATH_MIG', event: 'other' },
  { name: 'IBV_EVENT_PATH_MIG_ERR', event: 'other' },
  { name: 'IBV_EVENT_DEVICE_FATAL', event: 'device-fatal' },
  { name: 'IBV_EVENT_PORT_ACTIVE', event: 'port-active' },
  { name: 'IBV_EVENT_PORT_ERR', event: 'port-error' },
  { name: 'IBV_EVENT_LID_CHANGE', event: 'other' },
  { name: 'IBV_EVENT_PKEY_CHANGE', event: 'other' },
  { name: 'IBV_EVENT_SM_CHANGE', event: 'other' },
  { name: 'IBV_EVENT_SRQ_ERR', event: 'srq-error' },
  { name: 'IBV_EVENT_SRQ_LIMIT_REACHED', event: 'srq-limit-reached' },
  { name: 'IBV_EVENT_QP_LAST_WQE_REACHED', event: 'last-receive-reached' },
  { name: 'IBV_EVENT_CLIENT_REREGISTER', event: 'other' },
  { name: 'IBV_EVENT_GID_CHANGE', event: 'other' },
  { name: 'IBV_EVENT_WQ_FATAL', event: 'other' },
]

/** The events that are about a port: PORT_ACTIVE to SM_CHANGE, CLIENT_REREGISTER and GID_CHANGE. */
export const PORT_EVENTS: ReadonlySet<number> = new Set([9, 10, 11, 12, 13, 17, 18])
