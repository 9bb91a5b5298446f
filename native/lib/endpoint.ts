/**
 * `@netts/verbs/endpoint`: from an address to a connected queue pair with registered memory, and back to nothing. For
 * authors of drivers.
 *
 * @packageDocumentation
 */
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
export { patientClock } from './endpoint/silence-deadline.js'
export { kindOf, slotOf, workRequestIdLow } from './endpoint/work-request-id.js'
