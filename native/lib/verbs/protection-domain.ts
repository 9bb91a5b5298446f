/** Protection domains, and the memory regions and windows within them. */
import type { SharedReceiveQueue, SharedReceiveQueueOptions } from './shared-receive-queue.js'

/** What every way to register memory has. */
export interface RegionAccess {
  /**
   * {@link AccessFlag}s, added together. Grant no more than a peer needs: `remoteRead`, `remoteWrite` and
   * `remoteAtomic` hold for the peers of all queue pairs of the protection domain.
   * @default AccessFlag.localWrite
   */
  readonly access?: number
}

/** New memory, filled with zeros, which the package maps and frees. */
export interface NewMemoryOptions extends RegionAccess {
  /** 1 to 2^32 - 4096; rounded up to whole pages. */
  readonly byteLength: number
}

/**
 * Memory that exists already, and that threads may share. The region keeps it alive until it is closed. It has to be a
 * SharedArrayBuffer: an ArrayBuffer could be transferred to another thread while the device uses its memory.
 */
export interface SharedMemoryOptions extends RegionAccess {
  /** The bytes to register, over a SharedArrayBuffer: 1 to 2^32 - 4096 of them, neither rounded nor aligned. */
  readonly memory: Uint8Array
}

/**
 * Part of a file, mapped and shared: a `memfd`, a file of `/dev/shm`, or one of hugetlbfs, whose pages are huge. The
 * mapping belongs to the region: the descriptor may be closed and the file deleted after the call. While the region is
 * open the file must not be made shorter: an access to what is gone ends the process (SIGBUS). Not on the simulated
 * device.
 */
export interface MappedFileOptions extends RegionAccess {
  /** A file descriptor that is open for reading and writing. The caller closes it, at any time after this call. */
  readonly fileDescriptor: number
  /** Where in the file the region begins, in bytes: a multiple of the file's page size. @default 0 */
  readonly fileOffset?: number
  /** A multiple of the file's page size, up to 2^32 - 4096; all of it must be within the file. */
  readonly byteLength: number
}

/** Options of {@link ProtectionDomain.registerRegion}: new memory, or memory that exists already. */
export type MemoryRegionOptions = NewMemoryOptions | SharedMemoryOptions | MappedFileOptions

/**
 * Memory that is registered with the device (`ibv_mr`). It is closed when it is garbage-collected: keep a reference to
 * it while the device may use it.
 */
export interface MemoryRegion extends Disposable {
  /** Names it in work requests (`ENTRY.regionId`). Unique among the open regions of the thread, and not reused soon. */
  readonly id: number
  /**
   * The memory: the same view each time, and for {@link SharedMemoryOptions} the one that was given. It stays valid
   * memory for as long as something refers to it, also after `close`, when the device no longer reaches it. Unless it
   * is over a SharedArrayBuffer, it must not be transferred to another thread.
   */
  readonly bytes: Uint8Array
  /** Its length, after any rounding up to whole pages. */
  readonly byteLength: number
  /** The {@link AccessFlag}s that it was registered with. */
  readonly access: number
  /** The address by which a peer reaches the first byte, given one of the remote access flags. */
  readonly remoteAddress: bigint
  /** The 32-bit key that a peer has to give with the address. */
  readonly remoteKey: number
  /**
   * Ends the registration (`ibv_dereg_mr`): from now on a work request that names it is refused, one that was posted
   * before fails, and a peer that uses its key breaks the connection. Close the queue pairs that may still use it
   * first. While a window is bound to it, its memory stays pinned until the window or its queue pair is closed.
   * Idempotent.
   */
  close(): void
}

/**
 * A window of type 2 (`ibv_mw`): a key for part of a region that is good for the peer of one queue pair, from binding
 * it (`SendOpcode.bindWindow`) until it is invalidated.
 */
export interface MemoryWindow extends Disposable {
  /** Names it in bind work requests (`SEND.windowId`). */
  readonly id: number
  /** The key it was made with, which opens nothing yet. Each binding takes a new one, see {@link nextRemoteKey}. */
  readonly remoteKey: number
  /** Frees it (`ibv_dealloc_mw`): its key is of no use from now on. Idempotent. */
  close(): void
}

/**
 * A protection domain (`ibv_pd`): queue pairs reach the regions and windows of their own domain only. Its methods throw
 * `ERR_NETTS_INVALID_STATE` once it is closed.
 */
export interface ProtectionDomain extends Disposable {
  /**
   * Registers memory, new or existing (`ibv_reg_mr`). It pins every page before it returns, which takes some 0.2 ms for
   * each MiB: take {@link registerRegionAsync} for more than a few. The caller closes the region.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_UNSUPPORTED` for a file on the simulated device;
   *   `ERR_NETTS_VERBS` when the kernel refuses. With the cause `ENOMEM` the message has the bytes asked for, the bytes
   *   pinned, and the limit. For files: `EINVAL` for no multiple of the page size, `EOVERFLOW` for what is beyond the
   *   file's end, `EBADF` for a descriptor that is not open
   */
  registerRegion(options: MemoryRegionOptions): MemoryRegion
  /** The same on another thread. Rejects with the same errors. */
  registerRegionAsync(options: MemoryRegionOptions): Promise<MemoryRegion>
  /**
   * Makes a window of type 2, bound to nothing (`ibv_alloc_mw`). The caller closes it.
   * @throws NettsError `ERR_NETTS_UNSUPPORTED` unless {@link DeviceCapabilities.memoryWindows};
   *   `ERR_NETTS_VERBS`
   */
  allocateMemoryWindow(): MemoryWindow
  /**
   * Makes a shared receive queue (`ibv_create_srq`). The caller closes it.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  createSharedReceiveQueue(options: SharedReceiveQueueOptions): SharedReceiveQueue
  /** Closes it. What was made in it keeps the device's domain open until that is closed. Idempotent. */
  close(): void
}

/**
 * The next key for binding a window again: its lowest 8 bits count up, modulo 256 (`ibv_inc_rkey`).
 * @param remoteKey the key it had before
 */
export function nextRemoteKey(remoteKey: number): number {
  return ((remoteKey & 0xffff_ff00) | ((remoteKey + 1) & 0xff)) >>> 0
}
