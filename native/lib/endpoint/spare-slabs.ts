/**
 * Slabs that are registered ahead, on another thread: registering one takes as long as many round trips, and would
 * block the event loop for that time.
 */
import type { MemoryRegion } from '../verbs/protection-domain.js'

/** A slab that is going to be needed. */
export interface SlabNeed {
  /** Bytes, in whole pages. */
  readonly byteLength: number
  /** The {@link AccessFlag}s to register it with, added together. */
  readonly access: number
}

/** Slabs that are registered for a caller of {@link DeviceEnvironment.reserveSlabs}. */
export interface SlabReservation {
  /** Resolves when each slab was registered, or could not be. Never rejects: taking the slab fails then. */
  readonly ready: Promise<void>
  /** Closes the slabs that were not taken. Idempotent. */
  close(): void
}

/** Slabs of the same size and access. */
interface Spares {
  /** Registered slabs that were not taken. */
  readonly regions: MemoryRegion[]
  /** Whether {@link SpareSlabs.prepare} is registering one. */
  isPreparing: boolean
  /** How many of them were reserved. */
  reserved: number
}

/** Slabs registered ahead: those reserved, and at most one more of each kind. */
export class SpareSlabs {
  readonly #register: (need: SlabNeed) => Promise<MemoryRegion>
  readonly #spares = new Map<string, Spares>()
  #isClosed = false

  constructor(register: (need: SlabNeed) => Promise<MemoryRegion>) {
    this.#register = register
  }

  /** Registers one of this kind, unless there is one. */
  prepare(need: SlabNeed): void {
    const spares = this.#of(need)
    if (this.#isClosed || spares.isPreparing || spares.regions.length > 0) return
    spares.isPreparing = true
    void this.#add(need).finally(() => {
      spares.isPreparing = false
    })
  }

  /** Registers all of these, in addition to what others reserved. */
  reserve(needs: readonly SlabNeed[]): SlabReservation {
    let isClosed = false
    const giveUpRest = () => {
      for (const { regions, reserved } of needs.map((need) => this.#of(need))) {
        while (regions.length > reserved) regions.pop()!.close()
      }
    }
    for (const need of needs) this.#of(need).reserved++
    return {
      ready: Promise.all(needs.map((need) => this.#add(need))).then(() => {
        if (isClosed) giveUpRest()
      }),
      close: () => {
        if (isClosed) return
        isClosed = true
        for (const need of needs) this.#of(need).reserved--
        giveUpRest()
      },
    }
  }

  /** Takes one of this kind, which the caller closes; `undefined` when there is none. */
  take(need: SlabNeed): MemoryRegion | undefined {
    return this.#of(need).regions.pop()
  }

  /** Closes the slabs that nobody took. @returns whether there were any */
  clear(): boolean {
    let hadAny = false
    for (const { regions } of this.#spares.values()) {
      for (const region of regions.splice(0)) {
        hadAny = true
        region.close()
      }
    }
    return hadAny
  }

  /** Closes the slabs that nobody took, and registers no more. */
  close(): void {
    this.#isClosed = true
    this.clear()
  }

  async #add(need: SlabNeed): Promise<void> {
    try {
      const region = await this.#register(need)
      if (this.#isClosed) region.close()
      else this.#of(need).regions.push(region)
    } catch {
      // Whoever needs the slab registers it then, and gets the error.
    }
  }

  #of({ byteLength, access }: SlabNeed): Spares {
    const kind = `${byteLength}/${access}`
    let spares = this.#spares.get(kind)
    if (!spares) {
      spares = { regions: [], isPreparing: false, reserved: 0 }
      this.#spares.set(kind, spares)
    }
    return spares
  }
}
