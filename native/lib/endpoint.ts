/**
 * `@netts/verbs/endpoint`, for authors of drivers: connecting and listening with a handshake, registered memory,
 * waiting for completions, keepalive and teardown; and the kit from which the transports of netts' own drivers are
 * built.
 *
 * @packageDocumentation
 */
export { brokenProtocol, queueOverrun } from './driver-kit/errors.js'
export { RegisteredBuffer, TransportMemory } from './driver-kit/memory.js'
export {
  type Checked,
  checkRdmaOptions,
  MOST_DEPTH,
  type RdmaConfig,
  type RdmaOptions,
} from './driver-kit/options.js'
export {
  dueAt,
  LEAST_POSTED,
  RESERVE,
  ReceiveCredits,
  receivesFor,
  SendCredits,
} from './driver-kit/protocol/credits.js'
export {
  FIRST_OWN_KIND,
  FRAME_HEADER_BYTES,
  FrameKind,
  type FrameKindNumber,
  frameName,
  ResetReason,
  readPosted,
  readUint32,
  writeFrameHeader,
  writeUint32,
} from './driver-kit/protocol/frame.js'
export type { LifeEvent, LifeState } from './driver-kit/protocol/lifecycle.js'
export { type PostedReceives, ProtocolEnd } from './driver-kit/protocol/protocol-end.js'
export {
  decodeSizes,
  encodeSizes,
  MOST_POSTED,
  SIZES_BYTES,
  type Sizes,
} from './driver-kit/protocol/sizes.js'
export { checkVerbs, createRdmaBuilder, type RdmaDriver } from './driver-kit/rdma-builder.js'
export { RdmaTransport } from './driver-kit/rdma-transport.js'
export { copyParts, LEAST_BUFFERS, SendBuffers } from './driver-kit/send-buffers.js'
export { SendPlaces, type SendPlacesOptions, sendPlacesFor } from './driver-kit/send-places.js'
export type { ReceiveSide, SendSide } from './driver-kit/sides.js'
export { WorkKind } from './driver-kit/work-kinds.js'
export type { CompletionSink } from './endpoint/completion-dispatch.js'
export type { CompletionLoop, Polling, PollingOptions } from './endpoint/completion-loop.js'
export { connectEndpoint } from './endpoint/connector.js'
export { DeviceEnvironment } from './endpoint/device-environment.js'
export type {
  Endpoint,
  EndpointOptions,
  EndpointRole,
  EndpointSession,
  EndpointState,
} from './endpoint/endpoint-session.js'
export type { ProtocolIdentity } from './endpoint/hello.js'
export { HELLO_BODY_BYTES, READY_BODY_BYTES } from './endpoint/hello.js'
export type { KeepAliveOptions } from './endpoint/keep-alive.js'
export type { EndpointListener, EndpointListenerOptions } from './endpoint/listener.js'
export { listenEndpoints } from './endpoint/listener.js'
export { patientClock } from './endpoint/patient-clock.js'
export type { SlabNeed, SlabReservation } from './endpoint/spare-slabs.js'
export { kindOf, slotOf, workRequestIdLow } from './endpoint/work-request-id.js'
