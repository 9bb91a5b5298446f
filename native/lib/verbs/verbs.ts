/**
 * The root of the interface: what the addon and the simulated device both are.
 *
 * Conventions that hold for every object of `@netts/verbs`:
 *
 * - Calls that cannot block are synchronous. What takes time (name resolution excepted, which is not the
 *   business of verbs) is reported by callbacks, which are assigned as properties, come from the event loop,
 *   and never from inside a call.
 * - Misuse throws a NettsError before anything happened: `ERR_NETTS_INVALID_ARGUMENT` for arguments,
 *   `ERR_NETTS_INVALID_STATE` for a closed object or a call out of turn. What the kernel or the device
 *   refused is `ERR_NETTS_VERBS` (see `errors.ts`) with the operation and the errno's name.
 * - `close()` is idempotent, and so is `[Symbol.dispose]`, which does the same. A closed object refuses every
 *   other call. What others were made from lives on underneath until the last of them is closed, so that any
 *   order of closing is safe.
 * - Nothing keeps the process alive until `ref()` is called on it.
 */
import type { ClockTimer, Clock as CoreClock } from '@netts/core/driver'
import type { CmId } from './cm.js'
import type { Device } from './device.js'

export type { ClockTimer }

/**
 * Time as this implementation sees it: the machine's for the addon, virtual in a simulation. Everything built
 * on verbs takes its deadlines from here and from nowhere else, so that it is testable in no time. A timer does not keep
 * the process alive, and an action of the next turn does.
 */
export interface Clock extends CoreClock {
  /** Milliseconds since an arbitrary moment; monotonic. */
  now(): number
}

/** Objects that are open in this environment. */
export interface VerbsCounts {
  readonly protectionDomains: number
  readonly memoryRegions: number
  readonly memoryWindows: number
  readonly completionChannels: number
  readonly completionQueues: number
  readonly sharedReceiveQueues: number
  readonly queuePairs: number
  readonly cmIds: number
}

/** RDMA verbs and their connection manager, for one Node.js environment (thread). */
export interface Verbs extends Disposable {
  /** Which implementation this is. */
  readonly implementation: 'addon' | 'simulated'
  readonly clock: Clock
  /**
   * The devices of this machine, opened. The same objects each time, and the same that {@link CmId.device} has. One
   * that was removed and comes back is another object.
   * @throws NettsError `ERR_NETTS_UNAVAILABLE` when the kernel has no RDMA; an empty list is no error.
   */
  devices(): readonly Device[]
  /**
   * Makes an id of the connection manager (`rdma_create_id`, `RDMA_PS_TCP`). All ids of an environment share
   * one event channel; every event reaches the id it concerns.
   */
  createCmId(): CmId
  /**
   * How many bytes this process may pin (RLIMIT_MEMLOCK); `Infinity` when it is unlimited, or does not apply
   * because the process has CAP_IPC_LOCK.
   */
  readonly memlockLimitBytes: number
  /** How many bytes regions of this process (all its threads) pin now. */
  readonly pinnedBytes: number
  /** What is open now: all zero once everything was closed. */
  readonly counts: VerbsCounts
  /**
   * Closes everything that is still open, in the right order. Peers see a disconnect. Idempotent. Done for you
   * when the thread ends.
   */
  close(): void
}
