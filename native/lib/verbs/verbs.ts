/**
 * The root of the interface: what the addon and the simulated device both are.
 *
 * Conventions that hold for every object of `@netts/verbs`:
 *
 * - Calls that cannot block are synchronous. What takes time is reported by callbacks, which are assigned as
 *   properties. They are called from the event loop, never from inside a call.
 * - Misuse throws a NettsError and has no effect: `ERR_NETTS_INVALID_ARGUMENT` for arguments, `ERR_NETTS_INVALID_STATE`
 *   for a closed object or a call out of turn. What the kernel or the device refuses is `ERR_NETTS_VERBS` (see
 *   `errors.ts`) with the operation, and with the errno's name in the cause.
 * - `close()` is idempotent, and so is `[Symbol.dispose]`, which does the same. A closed object refuses every other
 *   call. An object from which others were made stays open underneath until the last of them is closed, so objects may
 *   be closed in any order.
 * - With the addon, an object that has no callback is closed when it is garbage-collected.
 * - Nothing keeps the process alive until `ref()` is called on it.
 */
import type { ClockTimer, Clock as CoreClock } from '@netts/core/driver'
import type { CmId } from './cm.js'
import type { Device } from './device.js'

export type { ClockTimer }

/**
 * The time of an implementation: the machine's for the addon, virtual in a simulation. Everything built on verbs takes
 * its deadlines from here only, so that tests do not have to wait for them. A timer (`setTimer`) does not keep the
 * process alive; a callback of the next turn of the event loop (`setImmediate`) does.
 */
export interface Clock extends CoreClock {
  /** Milliseconds since an arbitrary moment, with fractions; monotonic. */
  now(): number
}

/** How many objects of each kind are open, of those made from one {@link Verbs}. */
export interface VerbsCounts {
  /** Open {@link ProtectionDomain}s. */
  readonly protectionDomains: number
  /** Open {@link MemoryRegion}s. */
  readonly memoryRegions: number
  /** Open {@link MemoryWindow}s. */
  readonly memoryWindows: number
  /** Open {@link CompletionChannel}s. */
  readonly completionChannels: number
  /** Open {@link CompletionQueue}s. */
  readonly completionQueues: number
  /** Open {@link SharedReceiveQueue}s. */
  readonly sharedReceiveQueues: number
  /** Open {@link QueuePair}s. */
  readonly queuePairs: number
  /** Open {@link CmId}s. */
  readonly cmIds: number
}

/**
 * RDMA verbs and their connection manager, for one thread: {@link openVerbs} makes that of this machine, a simulated
 * fabric those of its hosts.
 */
export interface Verbs extends Disposable {
  /** Which implementation this is. */
  readonly implementation: 'addon' | 'simulated'
  /** The time by which everything here happens. */
  readonly clock: Clock
  /**
   * The devices of this machine, opened. The same objects each time, and the same that {@link CmId.device} has. A
   * device that was removed and comes back is another object. They are closed with this.
   * @returns possibly none
   * @throws NettsError `ERR_NETTS_UNAVAILABLE` when the kernel has no RDMA; `ERR_NETTS_INVALID_STATE` once closed;
   *   `ERR_NETTS_VERBS` when a device cannot be opened
   */
  devices(): readonly Device[]
  /**
   * Makes an id of the connection manager (`rdma_create_id` with `RDMA_PS_TCP`), for a client or a listener. The caller
   * closes it.
   * @throws NettsError `ERR_NETTS_UNAVAILABLE` when the kernel has no connection manager (`rdma_ucm`);
   *   `ERR_NETTS_INVALID_STATE` once closed; `ERR_NETTS_VERBS`
   */
  createCmId(): CmId
  /**
   * How many bytes this process may pin: RLIMIT_MEMLOCK (`getrlimit(2)`), or `Infinity` when that is unlimited or the
   * process has CAP_IPC_LOCK in the first user namespace. It is read anew each time.
   */
  readonly memlockLimitBytes: number
  /** How many bytes the regions of this process pin now, those of all its threads together. */
  readonly pinnedBytes: number
  /** What is open now: all 0 once everything is closed. */
  readonly counts: VerbsCounts
  /**
   * Closes everything that was made from this, in the right order. Peers see a disconnect. Idempotent. It happens by
   * itself when the thread ends.
   */
  close(): void
}
