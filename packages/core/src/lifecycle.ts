/**
 * `@netts/core/lifecycle`: for other layers on a {@link Transport} than messages, such as a stream of bytes. Implement
 * sending and receiving as a {@link LifecycleUser}. {@link Lifecycle} then handles the transport's waker, the half-close,
 * closing within deadlines, and exceptions, which end only their own connection.
 *
 * @packageDocumentation
 */

export { checkBuilder } from './connection/check-builder.js'
export { FlushQueue } from './lifecycle/flush-queue.js'
export {
  Lifecycle,
  type LifecycleOptions,
  type LifecycleState,
  type LifecycleUser,
} from './lifecycle/lifecycle.js'
export { now } from './runtime/event-loop.js'
export { takeTurn } from './runtime/turn-budget.js'
