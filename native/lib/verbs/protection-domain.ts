/** Protection domains, and the memory regions and windows within them. */
import type { SharedReceiveQueue, SharedReceiveQueueOptions } from './shared-receive-queue.js'

/** What every way to register has. */
export interface RegionAccess {
  /**
   * {@link AccessFlag}s, added together. Grant a peer nothing it does not need: `remoteRead` and `remoteWrite`
   * hold for every queue pair of the protection domain.
   * @default AccessFlag.localWrite
   */
  readonly access?: number
}

/** New memory, which belongs to the region. */
export interface NewMemoryOptions extends RegionAccess {
  /** Rounded up to whole pages. */
  readonly byteLength: number
}

/**
 * Memory that exists already, and that threads may share. The region keeps it alive until it is closed, whoever else
 * lets go of it. Only a SharedArrayBuffer can be registered, since an ArrayBuffer may be transferred away under the device.
 */
export interface SharedMemoryOptions extends RegionAccess {
  /** The bytes to register, over a SharedArrayBuffer; neither rounded nor aligned. At least one. */
  readonly memory: Uint8Array
}

/**
 * Part of a file, mapped and shared: a `memfd`, a file of `/dev/shm`, or one of hugetlbfs, whose pages are huge. The
 * mapping is the region's own: it outlives the descriptor and the file's name. The file must not be made shorter meanwhile:
 * reading what is gone then ends the process (SIGBUS). Not on the simulated device.
 */
export interface MappedFileOptions extends RegionAccess {
  /** An open file descriptor, for reading and writing. The caller closes it, at any time after this call. */
  readonly fileDescriptor: number
  /** Where in the file it begins: a multiple of the file's page size. @default 0 */
  readonly fileOffset?: number
  /** A multiple of the file's page size, all of it within the file. */
  readonly byteLength: number
}

/** Options of {@link ProtectionDomain.registerRegion}: new memory, or memory that exists already. */
export type MemoryRegionOptions = NewMemoryOptions | SharedMemoryOptions | MappedFileOptions

/** Memory that is registered with the device. */
export interface MemoryRegion extends Disposable {
  /** Names it in work requests. Unique among the open regions of the environment, and not reused soon. */
  readonly id: number
  /**
   * The memory: the same view each time, and the one that was given where it existed already; new memory is
   * zero-filled at first. It stays valid memory for as long as anyone holds it, also after `close`; but the device does
   * not reach it any more then. Unless it is over a SharedArrayBuffer, it must not be transferred to another thread.
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
   * Registers memory: new, or what exists already. Pins every page before it returns, which takes in the order of 0.2 ms a MiB:
   * take {@link registerRegionAsync} for more than a few.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_UNSUPPORTED` for a file on the simulated device;
   *   `ERR_NETTS_VERBS` when the kernel refuses: for ENOMEM the
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
