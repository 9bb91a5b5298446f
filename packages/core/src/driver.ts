/**
 * For authors of drivers: the parts that every driver needs, built once.
 *
 * @packageDocumentation
 */

export { isPathAddress } from './address.js'
export { type BufferSlot, checkSendRange, takeSlot } from './buffer-pool/buffer-slot.js'
export { AcceptQueue } from './driver/accept-queue.js'
export { checkAddress } from './driver/check-address.js'
export { ChunkTable } from './driver/chunk-table.js'
export { type DeadlineTask, type EndSignal, withDeadline } from './driver/deadline.js'
export {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkObject,
  checkSignal,
  checkTimeout,
} from './driver/options.js'
export { type Waiter, WaitQueue } from './driver/wait-queue.js'
export { Waker } from './driver/waker.js'
export { aborted, invalidArgument, timedOut } from './errors.js'
