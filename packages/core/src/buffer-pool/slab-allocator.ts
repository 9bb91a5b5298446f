/**
 * Fixed-size slots in a few large slabs, sorted into size classes. The source of slabs is a parameter, so that the same code
 * divides host memory and registered memory.
 */
import { types } from 'node:util'
import { checkInteger } from '../driver/options.js'
import { invalidArgument } from '../errors.js'
import type { BufferPool } from './buffer-pool.js'
import type { BufferSlot } from './buffer-slot.js'
import type { LeakDetector } from './leak-detector.js'

/** Buffers of one size in a pool. */
export interface SizeClass {
  /** The size of each buffer in bytes, 1 to 2^32. No two classes of a pool may have the same. */
  readonly byteLength: number
  /** The most buffers of this size, 1 to 2^24. Each transport has four more in reserve. */
  readonly count: number
}

/** Slabs are whole pages: 4 KiB is the page size of x86-64 and the smallest one of arm64. */
export const PAGE_BYTES = 4096
/** Slots begin at multiples of a cache line, so that no two of them share one. */
const CACHE_LINE_BYTES = 64

const NO_BYTES = new Uint8Array(0)

/** The pool that slots belong to. */
export interface SlotOwner {
  readonly pool: BufferPool
  readonly leakDetector: LeakDetector | undefined
  /** Takes a slot back. */
  onFree(slot: Slot): void
}

/** The source of slabs. */
export interface SlabSource {
  allocateSlab(byteLength: number): Uint8Array
  /** A slab of that length may be needed soon. */
  prepareSlab(byteLength: number): void
}

/** The next slab is prepared when this part (1/4) of a slab's slots is free; never for slabs with fewer slots. */
const LOW_FRACTION = 4

/** One slot, made once and reused as long as its slab exists. */
export class Slot implements BufferSlot {
  readonly slab: Uint8Array
  readonly slabIndex: number
  readonly byteOffset: number
  readonly sizeClass: SlotClass
  readonly owner: SlotOwner
  isFree = true
  /** The reserve that it was taken from; `undefined` if it counts as one of its size class. */
  reserve: Reserve | undefined
  // The views handed out last; the next allocation of the same length gets the same one.
  #view: Uint8Array = NO_BYTES
  #viewBehindHeadroom: Uint8Array = NO_BYTES

  constructor(
    owner: SlotOwner,
    sizeClass: SlotClass,
    slab: Uint8Array,
    slabIndex: number,
    byteOffset: number,
  ) {
    this.owner = owner
    this.sizeClass = sizeClass
    this.slab = slab
    this.slabIndex = slabIndex
    this.byteOffset = byteOffset
  }

  /** The `byteLength` bytes after the first `headroom` bytes. */
  view(headroom: number, byteLength: number): Uint8Array {
    const cached = headroom === 0 ? this.#view : this.#viewBehindHeadroom
    const start = this.slab.byteOffset + this.byteOffset + headroom
    if (cached.byteLength === byteLength && cached.byteOffset === start) return cached
    const view = new Uint8Array(this.slab.buffer, start, byteLength)
    if (headroom === 0) this.#view = view
    else this.#viewBehindHeadroom = view
    return view
  }

  free(): void {
    if (this.isFree) throw invalidArgument('this slot was freed before', 'free')
    this.owner.onFree(this)
  }
}

/** Slots that only one holder can take. */
export interface Reserve {
  /** How many it can still take. */
  left: number
  /** The size of the largest, in bytes. */
  readonly maxByteLength: number
}

/** The slots of one size class: those that are allocated and free, and how many may be taken. */
export class SlotClass {
  readonly byteLength: number
  /** The distance between the beginnings of two slots, in bytes. */
  readonly strideBytes: number
  readonly slotsPerSlab: number
  /** When this many slots are free, the next slab is prepared; -1 for never. */
  readonly low: number
  readonly free: Slot[] = []
  /** How many may still be allocated, without reserves. */
  unmapped: number
  /** How many may still be taken, without reserves. */
  left: number

  constructor({ byteLength, count }: SizeClass, slabByteLength: number) {
    this.byteLength = byteLength
    this.strideBytes = roundUp(byteLength, CACHE_LINE_BYTES)
    this.slotsPerSlab = Math.max(1, Math.floor(slabByteLength / this.strideBytes))
    this.low = this.slotsPerSlab < LOW_FRACTION ? -1 : Math.floor(this.slotsPerSlab / LOW_FRACTION)
    this.unmapped = this.left = count
  }

  /** How many slots the next slab has. Reserves are in addition to the count of the size class. */
  get nextSlots(): number {
    return Math.min(this.slotsPerSlab, this.unmapped || this.slotsPerSlab)
  }

  /** The length of the next slab. */
  get nextSlabBytes(): number {
    return roundUp(this.nextSlots * this.strideBytes, PAGE_BYTES)
  }
}

/** Hands out slots: of the smallest size that fits, or of a larger one if none of those is left. */
export class SlabAllocator {
  readonly #classes: SlotClass[]
  readonly #source: SlabSource
  readonly #owner: SlotOwner
  readonly #slabs: Uint8Array[] = []
  slabBytes = 0
  /** How often a slot of a larger class than the smallest fitting one was taken. */
  spills = 0

  constructor(classes: readonly SizeClass[], slabByteLength: number, source: SlabSource, owner: SlotOwner) {
    this.#classes = checkClasses(classes).map((sizeClass) => new SlotClass(sizeClass, slabByteLength))
    this.#source = source
    this.#owner = owner
  }

  /** The largest slot in bytes. */
  get maxByteLength(): number {
    return this.#classes.at(-1)!.byteLength
  }

  /**
   * Takes a slot of at least `byteLength` bytes, and allocates a slab if necessary.
   * @param reserve the slots that the caller may take when no others are left
   * @returns `undefined` when no slot is left
   */
  take(byteLength: number, reserve?: Reserve): Slot | undefined {
    const classes = this.#classes
    let smallest: SlotClass | undefined
    for (let index = 0; index < classes.length; index++) {
      const sizeClass = classes[index]!
      if (sizeClass.byteLength < byteLength) continue
      if (sizeClass.left > 0) {
        const slot = this.#pop(sizeClass)
        sizeClass.left--
        if (smallest !== undefined) this.spills++
        return slot
      }
      smallest ??= sizeClass
    }
    if (smallest === undefined || !reserve || reserve.left === 0 || byteLength > reserve.maxByteLength) {
      return undefined
    }
    const slot = this.#pop(smallest)
    reserve.left--
    slot.reserve = reserve
    return slot
  }

  /** Puts a slot back among the free ones. */
  give(slot: Slot): void {
    const { sizeClass, reserve } = slot
    slot.isFree = true
    if (reserve) reserve.left++
    else sizeClass.left++
    slot.reserve = undefined
    sizeClass.free.push(slot)
  }

  /** A slot that is in use goes to a caller that waited for `byteLength` bytes: counts the spill. */
  passOn(slot: Slot, byteLength: number): void {
    const smallest = this.#classes.find((sizeClass) => sizeClass.byteLength >= byteLength)
    if (slot.sizeClass !== smallest) this.spills++
  }

  /** Ends the allocator when every slot is free. Nothing can be taken any more. @returns the slabs */
  giveUp(): Uint8Array[] {
    this.slabBytes = 0
    for (const sizeClass of this.#classes) {
      sizeClass.free.length = 0
      sizeClass.unmapped = sizeClass.left = 0
    }
    return this.#slabs.splice(0)
  }

  #pop(sizeClass: SlotClass): Slot {
    if (sizeClass.free.length === 0) this.#map(sizeClass)
    const slot = sizeClass.free.pop()!
    slot.isFree = false
    if (sizeClass.free.length === sizeClass.low && sizeClass.unmapped > 0) {
      this.#source.prepareSlab(sizeClass.nextSlabBytes)
    }
    return slot
  }

  #map(sizeClass: SlotClass): void {
    const count = sizeClass.nextSlots
    const byteLength = sizeClass.nextSlabBytes
    const slab = this.#source.allocateSlab(byteLength)
    if (!types.isUint8Array(slab) || slab.byteLength < byteLength) {
      throw invalidArgument(`allocateSlab must return a Uint8Array of at least ${byteLength} bytes`, 'alloc')
    }
    // Copying into shared memory takes three to four times as long, and other threads could change it.
    if (!types.isArrayBuffer(slab.buffer)) {
      throw invalidArgument('allocateSlab must not return a SharedArrayBuffer', 'alloc')
    }
    const slabIndex = this.#slabs.push(slab) - 1
    this.slabBytes += slab.byteLength
    sizeClass.unmapped = Math.max(0, sizeClass.unmapped - count)
    for (let index = count - 1; index >= 0; index--) {
      sizeClass.free.push(new Slot(this.#owner, sizeClass, slab, slabIndex, index * sizeClass.strideBytes))
    }
  }
}

/** Sorted by size. */
function checkClasses(classes: readonly SizeClass[]): SizeClass[] {
  if (!Array.isArray(classes) || classes.length === 0) {
    throw invalidArgument('classes must be a non-empty array of { byteLength, count }')
  }
  for (const { byteLength, count } of classes as readonly SizeClass[]) {
    checkInteger('classes[].byteLength', byteLength, 1, 2 ** 32)
    checkInteger('classes[].count', count, 1, 2 ** 24)
  }
  const sorted = [...(classes as readonly SizeClass[])].sort((a, b) => a.byteLength - b.byteLength)
  if (sorted.some(({ byteLength }, index) => byteLength === sorted[index + 1]?.byteLength)) {
    throw invalidArgument('classes must have different sizes')
  }
  return sorted
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
