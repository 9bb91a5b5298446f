/**
 * `@netts/verbs`: RDMA verbs and their connection manager for Node.js.
 *
 * @packageDocumentation
 */
export { rdmaAvailability } from './addon/availability.js'
export { openVerbs } from './addon/open-verbs.js'
export type { RemoteAddress } from './verbs/addresses.js'
export { joinAddress, splitAddress, writeRemoteAddress } from './verbs/addresses.js'
export type { RdmaAvailability, RdmaAvailabilityOptions, UnavailabilityReason } from './verbs/availability.js'
export type {
  CmConnectRequestEvent,
  CmEstablishedEvent,
  CmEvent,
  CmFailureEvent,
  CmId,
  CmRejectedEvent,
  ConnectionParameters,
  ResolveOptions,
} from './verbs/cm.js'
export { PRIVATE_DATA_BYTES } from './verbs/cm.js'
export type {
  CompletionChannel,
  CompletionChannelOptions,
  CompletionQueue,
  CompletionQueueOptions,
} from './verbs/completion-queue.js'
export type {
  Device,
  DeviceCapabilities,
  DeviceEvent,
  DeviceEventType,
  Gid,
  Port,
  PortState,
} from './verbs/device.js'
export type { DeviceAttributes } from './verbs/device-attributes.js'
export type { CompletionFailure, VerbsCallFailure, VerbsErrorContext } from './verbs/errors.js'
export { completionError, completionStatusName } from './verbs/errors.js'
export {
  AccessFlag,
  COMPLETION,
  CompletionFlag,
  CompletionOpcode,
  CompletionStatus,
  ENTRY,
  RECEIVE,
  SEND,
  SendFlag,
  SendOpcode,
} from './verbs/layout.js'
export type {
  MappedFileOptions,
  MemoryRegion,
  MemoryRegionOptions,
  MemoryWindow,
  NewMemoryOptions,
  ProtectionDomain,
  RegionAccess,
  SharedMemoryOptions,
} from './verbs/protection-domain.js'
export { nextRemoteKey } from './verbs/protection-domain.js'
export type { QueuePair, QueuePairAttributes, QueuePairOptions, QueuePairState } from './verbs/queue-pair.js'
export type { ReceiveWorkRequest, RegionRange, SendWorkRequest, WorkCompletion } from './verbs/records.js'
export { readCompletion, writeReceive, writeSend } from './verbs/records.js'
export type { SharedReceiveQueue, SharedReceiveQueueOptions } from './verbs/shared-receive-queue.js'
export type { Clock, ClockTimer, Verbs, VerbsCounts } from './verbs/verbs.js'
