/** The wires to one endpoint, in order of preference, and which of them is tried first. */
import { preferring, type Transport, type TransportBuilder } from '@netts/core'

/** Tries the preferred wire first, and for a while after a fallback the one that worked. */
export class Wires<T extends Transport> {
  /** The name of each wire, made unique. */
  readonly #names: readonly string[]
  /** For each wire, a builder that begins with it and falls back to those after it. */
  readonly #from: readonly TransportBuilder<T>[]
  readonly #retryMs: number
  /** The index of the wire that connected each transport. */
  readonly #places = new WeakMap<object, number>()
  /** The index of the wire that is tried first now. */
  #first = 0
  #retryAtMs = 0

  /** @param retryMs how long after a fallback the preferred wire is tried again, in milliseconds */
  constructor(builders: readonly TransportBuilder<T>[], retryMs: number) {
    this.#names = preferring(...builders).fallbacks.map(({ wire }) => wire)
    const noted = builders.map((builder, place) => this.#noting(builder, place))
    this.#from = noted.map((builder, place) =>
      place === noted.length - 1 ? builder : preferring(...noted.slice(place)),
    )
    this.#retryMs = retryMs
  }

  /** The name of the preferred wire. */
  get preferred(): string {
    return this.#names[0]!
  }

  /** The builder to connect with now. */
  builder(nowMs: number): TransportBuilder<T> {
    if (nowMs >= this.#retryAtMs) this.#first = 0
    return this.#from[this.#first]!
  }

  /** A connection was made. @returns whether it runs on another wire than the one that was tried first */
  onConnected(transport: object, nowMs: number): boolean {
    const used = this.#places.get(transport) ?? 0
    if (used <= this.#first) return false
    this.#first = used
    this.#retryAtMs = nowMs + this.#retryMs
    return true
  }

  /** The same builder, which records the transports that it connects. */
  #noting(builder: TransportBuilder<T>, place: number): TransportBuilder<T> {
    return {
      name: this.#names[place]!,
      connect: async (address, options) => {
        const transport = await builder.connect(address, options)
        this.#places.set(transport, place)
        return transport
      },
      listen: (address, options) => builder.listen(address, options),
    }
  }
}
