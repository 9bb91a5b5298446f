/** Protection domains, and the memory regions and windows within them. */
import type { SharedReceiveQueue, SharedReceiveQueueOptions } from './shared-receive-queue.js'

/** Options of {@link ProtectionDomain.registerRegion}. */
export interface MemoryRegionOptions {
  /** Rounded up to whole pages. */
  readonly byteLength: number
  /**
   * {@link AccessFlag}s, added together. Grant a peer nothing it does not need: `remoteRead` and `remoteWrite`
   * hold for every queue pair of the protection domain.
   * @default AccessFlag.localWrite
   */
  readonly access?: number
}

/** A slab of page-aligned memory that the implementation owns, registered with the device. */
export interface MemoryRegion extends Disposable {
  /** Names it in work requests. Unique among the open regions of the environment, and not reused soon. */
  readonly id: number
  /**
   * The memory, zero-filled at first: the same view each time. It stays valid memory for as long as anyone holds
   * it, also after `close`; but the device does not reach it any more then.
   * It must not be transferred to another thread.
   */
  readonly bytes: Uint8Array
  readonly byteLength: number
  readonly access: number
  /** The address a peer names to reach the first byte. */
  readonly remoteAddress: bigint
  /** The key a peer needs beside it. */
  readonly remoteKey: number
  /**
   * Ends the registration: work requests that name it fail from now on. Close the queue pairs that may still use
   * it first.
   */
  close(): void
}

/** A window of type 2: a key for part of a region that is good for one queue pair, until invalidated. */
export interface MemoryWindow extends Disposable {
  /** Names it in bind work requests. */
  readonly id: number
  /** The key it was made with. Binding takes a new one, see {@link nextRemoteKey}. */
  readonly remoteKey: number
  close(): void
}

/** A protection domain (`ibv_pd`): keys of one are of no use in another. */
export interface ProtectionDomain extends Disposable {
  /**
   * Maps and registers memory. Pins every page before it returns, which takes in the order of 0.2 ms a MiB:
   * take {@link registerRegionAsync} for more than a few.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_VERBS` when the kernel refuses: for ENOMEM the
   *   message names the memlock limit and what was asked for.
   */
  registerRegion(options: MemoryRegionOptions): MemoryRegion
  /** The same, off the event loop's thread. Rejects with the same errors. */
  registerRegionAsync(options: MemoryRegionOptions): Promise<MemoryRegion>
  /**
   * @throws NettsError `ERR_NETTS_UNSUPPORTED` unless {@link DeviceCapabilities.memoryWindows};
   *   `ERR_NETTS_VERBS`
   */
  allocateMemoryWindow(): MemoryWindow
  /** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS` */
  createSharedReceiveQueue(options: SharedReceiveQueueOptions): SharedReceiveQueue
  close(): void
}

/** The next key for binding a window anew: the lowest 8 bits count up (`ibv_inc_rkey`). */
export function nextRemoteKey(remoteKey: number): number {
  return ((remoteKey & 0xffff_ff00) | ((remoteKey + 1) & 0xff)) >>> 0
}
