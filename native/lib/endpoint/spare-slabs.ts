/**
 * Slabs that are registered ahead, on another thread: to register one takes the time of many round trips, which the
 * event loop is not to spend while somebody sends.
 */
import type { MemoryRegion } from '../verbs/protection-domain.js'

/** A slab that will be wanted. */
export interface SlabNeed {
  readonly byteLength: number
  /** {@link AccessFlag}s, added together. */
  readonly access: number
}

/** Slabs for somebody who is about to take them. */
export interface SlabReservation {
  /** They are there, or cannot be had: who needs them learns why. Never rejects. */
  readonly ready: Promise<void>
  /** Gives up what was not taken. */
  close(): void
}

/** Slabs of the same kind. */
interface Spares {
  /** Those that are there. */
  readonly regions: MemoryRegion[]
  /** One is being registered for whoever comes. */
  isPreparing: boolean
  /** How many are for those who reserved them. */
  reserved: number
}

/** At most one slab of each kind beside what was reserved. */
export class SpareSlabs {
  readonly #register: (need: SlabNeed) => Promise<MemoryRegion>
  readonly #spares = new Map<string, Spares>()
  #isClosed = false

  constructor(register: (need: SlabNeed) => Promise<MemoryRegion>) {
    this.#register = register
  }

  /** Has one of this kind soon, unless there is one. */
  prepare(need: SlabNeed): void {
    const spares = this.#of(need)
    if (this.#isClosed || spares.isPreparing || spares.regions.length > 0) return
    spares.isPreparing = true
    void this.#add(need).finally(() => {
      spares.isPreparing = false
    })
  }

  /** Has all of these, beside what others reserved. */
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

  /** One of this kind, which is the caller's now; `undefined` when there is none. */
  take(need: SlabNeed): MemoryRegion | undefined {
    return this.#of(need).regions.pop()
  }

  /** Gives up those that are there. @returns whether there was any */
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

  /** The same, and there are none from now on. */
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
      // Whoever needs the memory then registers it, and learns why there is none.
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
