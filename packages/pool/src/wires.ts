/** The wires to one endpoint, in order of preference, and which of them to begin with. */
import { preferring, type Transport, type TransportBuilder } from '@netts/core'

/** Begins with the preferred wire, and after a fall, for a while, with the one that worked. */
export class Wires<T extends Transport> {
  readonly #builders: readonly TransportBuilder<T>[]
  /** What begins with each of them. */
  readonly #from: readonly TransportBuilder<T>[]
  readonly #retryMs: number
  /** The first one that is tried now. */
  #first = 0
  #retryAtMs = 0

  /** @param retryMs how long after a fall the preferred wire is tried again */
  constructor(builders: readonly TransportBuilder<T>[], retryMs: number) {
    this.#builders = builders
    this.#from = builders.map((builder, index) => {
      const rest = builders.slice(index)
      return rest.length === 1 ? builder : preferring(...rest)
    })
    this.#retryMs = retryMs
  }

  /** The name of the preferred wire. */
  get preferred(): string {
    return this.#builders[0]!.name
  }

  /** What to connect with now. */
  builder(nowMs: number): TransportBuilder<T> {
    if (nowMs >= this.#retryAtMs) this.#first = 0
    return this.#from[this.#first]!
  }

  /** A connection was made over a wire. @returns whether that was a fall from the wire that was tried first */
  onConnected(wire: string, nowMs: number): boolean {
    const used = this.#builders.findIndex(({ name }) => name === wire)
    if (used <= this.#first) return false
    this.#first = used
    this.#retryAtMs = nowMs + this.#retryMs
    return true
  }
}
