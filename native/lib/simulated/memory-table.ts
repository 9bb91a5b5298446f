/** All memory of a simulated machine that its device can reach, and the checks of keys. */

export const PAGE_BYTES = 4096

/** A registered region, as the device finds it. */
export interface RegisteredRegion {
  readonly id: number
  readonly bytes: Uint8Array
  readonly byteLength: number
  readonly access: number
  readonly remoteAddress: bigint
  readonly remoteKey: number
  readonly protectionDomain: object
  readonly closed: boolean
}

/** What a window was bound to. */
export interface WindowBinding {
  readonly region: RegisteredRegion
  readonly queuePair: object
  readonly address: bigint
  readonly byteLength: number
  readonly access: number
}

/** A window, as the device finds it. */
export interface RegisteredWindow {
  readonly id: number
  readonly protectionDomain: object
  remoteKey: number
  binding: WindowBinding | undefined
}

/** All memory of a host that its device can reach. */
export class MemoryTable {
  readonly #regions = new Map<number, RegisteredRegion>()
  readonly #regionsByKey = new Map<number, RegisteredRegion>()
  readonly #windows = new Map<number, RegisteredWindow>()
  #nextId = 1
  #nextKeyIndex = 1
  #nextAddress: bigint
  pinnedBytes = 0

  /** @param hostIndex makes addresses and keys of different hosts differ */
  constructor(hostIndex: number) {
    this.#nextAddress = 0x7f00_0000_0000n + (BigInt(hostIndex) << 36n)
    this.#nextKeyIndex = 1 + hostIndex * 0x1_0000
  }

  /** A new key: an index, and 8 bits that count up when a window is bound again. */
  newKey(): number {
    return (this.#nextKeyIndex++ << 8) >>> 0
  }

  add(region: RegisteredRegion): { id: number; address: bigint; key: number } {
    const id = this.#nextId++
    const key = this.newKey()
    const address = this.#nextAddress
    // There is a gap after each region, so that an access beyond its end reaches nothing.
    this.#nextAddress += BigInt(region.byteLength + 16 * PAGE_BYTES)
    this.#regions.set(id, region)
    this.#regionsByKey.set(key, region)
    this.pinnedBytes += region.byteLength
    return { id, address, key }
  }

  remove(region: RegisteredRegion): void {
    this.#regions.delete(region.id)
    this.#regionsByKey.delete(region.remoteKey)
    this.pinnedBytes -= region.byteLength
  }

  addWindow(window: RegisteredWindow): number {
    const id = this.#nextId++
    this.#windows.set(id, window)
    return id
  }

  removeWindow(window: RegisteredWindow): void {
    this.#windows.delete(window.id)
  }

  region(id: number): RegisteredRegion | undefined {
    return this.#regions.get(id)
  }

  window(id: number): RegisteredWindow | undefined {
    return this.#windows.get(id)
  }

  /** The window that has this key and is bound. */
  windowByKey(key: number): RegisteredWindow | undefined {
    for (const window of this.#windows.values()) {
      if (window.binding && window.remoteKey === key) return window
    }
    return undefined
  }

  /** Unbinds the window with this key. @returns whether it was bound to the queue pair */
  invalidate(queuePair: object, key: number): boolean {
    const window = this.windowByKey(key)
    if (window?.binding?.queuePair !== queuePair) return false
    window.binding = undefined
    return true
  }

  /**
   * The memory behind an address and a key that a peer named.
   * @returns `undefined` when key, bounds, protection domain, queue pair or access forbid it
   */
  reach(
    queuePair: { readonly protectionDomain: object },
    key: number,
    address: bigint,
    byteLength: number,
    access: number,
  ): Uint8Array | undefined {
    const region = this.#regionsByKey.get(key)
    if (region) {
      if (region.protectionDomain !== queuePair.protectionDomain || !(region.access & access))
        return undefined
      return within(region, region.remoteAddress, region.byteLength, address, byteLength)
    }
    const binding = this.windowByKey(key)?.binding
    if (!binding || binding.queuePair !== queuePair || binding.region.closed || !(binding.access & access)) {
      return undefined
    }
    return within(binding.region, binding.address, binding.byteLength, address, byteLength)
  }
}

function within(
  region: RegisteredRegion,
  base: bigint,
  length: number,
  address: bigint,
  byteLength: number,
): Uint8Array | undefined {
  if (address < base || address + BigInt(byteLength) > base + BigInt(length)) return undefined
  const offset = Number(address - region.remoteAddress)
  return region.bytes.subarray(offset, offset + byteLength)
}
