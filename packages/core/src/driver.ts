/**
 * `@netts/core/driver`: for authors of drivers. Extend {@link BaseTransport} and {@link BaseListener}, and make the builder
 * with {@link createBuilder}. Test the driver with `@netts/conformance`.
 *
 * @packageDocumentation
 */

export { isPathAddress } from './address.js'
export { type BufferSlot, takeSlot } from './buffer-pool/buffer-slot.js'
export { sharePool } from './buffer-pool/pool-share.js'
export { checkConnectionOptions } from './connection/connection-options.js'
export { AcceptQueue } from './driver/accept-queue.js'
export { BaseListener } from './driver/base-listener.js'
export { BaseTransport, type TransportEnds } from './driver/base-transport.js'
export { checkAddress } from './driver/check-address.js'
export { ChunkTable } from './driver/chunk-table.js'
export { type BuilderParts, createBuilder } from './driver/create-builder.js'
export { type DeadlineTask, type EndSignal, withDeadline } from './driver/deadline.js'
export {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkObject,
  checkOptionNames,
  checkSignal,
  checkTimeout,
} from './driver/options.js'
export { type Waiter, WaitQueue } from './driver/wait-queue.js'
export { aborted, invalidArgument, timedOut } from './errors.js'
export {
  afterPendingInput,
  backgroundClock,
  type Clock,
  type ClockTimer,
  clock,
  KeepAlive,
  nextTick,
  now,
} from './runtime/event-loop.js'
export { StallDeadline, type StallDeadlineParts } from './runtime/stall-deadline.js'
export { isSaturated } from './runtime/turn-budget.js'
