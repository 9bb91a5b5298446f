/** Whether RDMA can be used here, and what to do about it when it cannot. */

/** Why RDMA cannot be used. */
export type UnavailabilityReason =
  /** RDMA verbs exist on Linux only. */
  | 'not-linux'
  /** The program runs in Bun or Deno, whose support of addons does not suffice: RDMA needs Node.js. */
  | 'runtime-unsupported'
  /**
   * There is no compiled addon for this platform and architecture in the package, or a bundler left it behind.
   */
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
      readonly available: true
      /** Names of the devices that have an active port. */
      readonly devices: readonly string[]
    }
  | {
      readonly available: false
      readonly reason: UnavailabilityReason
      /** What was found, in a sentence. */
      readonly message: string
      /** What to do about it, in a sentence. */
      readonly remedy: string
      /** For `memlock-too-small`: the limit, and what was asked for. */
      readonly limitBytes?: number
      readonly requiredBytes?: number
    }

/** Options of `rdmaAvailability()`. */
export interface RdmaAvailabilityOptions {
  /** How much the process wants to pin. @default 1 MiB, less than which no driver works with */
  readonly requiredBytes?: number
}
