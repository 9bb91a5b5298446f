/**
 * For what stands on a {@link Transport} beside messages, such as a stream of bytes: what every consumer of the
 * contract shares. State what is sent and received as a {@link LifecycleUser}, and {@link Lifecycle} takes the
 * transport's one waker, half-closes, closes within deadlines, and lets nothing that is thrown cross connections.
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
