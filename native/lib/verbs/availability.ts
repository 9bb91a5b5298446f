/** Whether RDMA can be used here, and what to do about it when it cannot. */

/** Why RDMA cannot be used. The README of `@netts/verbs` has a table of what to do for each. */
export type UnavailabilityReason =
  /** RDMA verbs exist on Linux only. */
  | 'not-linux'
  /** The program runs in Bun or Deno, which lack functions that the addon needs: RDMA needs Node.js. */
  | 'runtime-unsupported'
  /** No compiled addon for this machine was found or could be loaded: a bundler may have left it behind. */
  | 'addon-missing'
  /** `libibverbs.so.1` or `librdmacm.so.1` is not installed, or lacks a function. */
  | 'library-missing'
  /** The kernel has no RDMA modules loaded (`ib_uverbs`, `rdma_ucm`), or forbids their use. */
  | 'kernel-unsupported'
  /** There is no RDMA device. */
  | 'no-device'
  /** There are devices, but none has an active port. */
  | 'no-active-port'
  /** The process may not pin enough memory (`ulimit -l`). */
  | 'memlock-too-small'

/** What `rdmaAvailability()` says. */
export type RdmaAvailability =
  | {
      /** RDMA can be used. */
      readonly available: true
      /** Names of the devices that have an active port. */
      readonly devices: readonly string[]
    }
  | {
      /** RDMA cannot be used. */
      readonly available: false
      /** The first thing that is missing, for programs. */
      readonly reason: UnavailabilityReason
      /** What was found, for people: a sentence with its full stop. */
      readonly message: string
      /** What to do about it, for people: a sentence with its full stop. */
      readonly remedy: string
      /** For `memlock-too-small`: how many bytes the process may pin (RLIMIT_MEMLOCK). */
      readonly limitBytes?: number
      /** For `memlock-too-small`: {@link RdmaAvailabilityOptions.requiredBytes}. */
      readonly requiredBytes?: number
    }

/** Options of `rdmaAvailability()`. */
export interface RdmaAvailabilityOptions {
  /** How many bytes the process is going to pin, at least 1. @default 1048576 */
  readonly requiredBytes?: number
}
