/**
 * Slabs that are registered ahead, on another thread: to register one takes the time of many round trips, which the
 * event loop is not to spend while somebody sends.
 */
import type { MemoryRegion } from '../verbs/protection-domain.js'

/** At most one slab of each length. */
export class SpareSlabs {
  readonly #register: (byteLength: number) => Promise<MemoryRegion>
  /** By their length; `undefined` while one is being registered. */
  readonly #spares = new Map<number, MemoryRegion | undefined>()
  #isClosed = false

  constructor(register: (byteLength: number) => Promise<MemoryRegion>) {
    this.#register = register
  }

  /** Has one of this length soon, unless there is one. */
  prepare(byteLength: number): void {
    if (this.#isClosed || this.#spares.has(byteLength)) return
    this.#spares.set(byteLength, undefined)
    this.#register(byteLength).then(
      (region) => {
        if (this.#isClosed) region.close()
        else this.#spares.set(byteLength, region)
      },
      // Whoever needs the memory then registers it, and learns why there is none.
      () => this.#spares.delete(byteLength),
    )
  }

  /** One of this length, which is the caller's now; `undefined` when there is none. */
  take(byteLength: number): MemoryRegion | undefined {
    const region = this.#spares.get(byteLength)
    if (region) this.#spares.delete(byteLength)
    return region
  }

  /** Gives up those that are there. @returns whether there was any */
  clear(): boolean {
    let hadAny = false
    for (const [byteLength, region] of this.#spares) {
      if (!region) continue
      hadAny = true
      this.#spares.delete(byteLength)
      region.close()
    }
    return hadAny
  }

  /** The same, and there are none from now on. */
  close(): void {
    this.#isClosed = true
    this.clear()
  }
}
