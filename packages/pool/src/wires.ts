/** The wires to one endpoint, in order of preference, and which of them to begin with. */
import { preferring, type Transport, type TransportBuilder } from '@netts/core'

/** Begins with the preferred wire, and after a fall, for a while, with the one that worked. */
export class Wires<T extends Transport> {
  /** What each is called: two of the same name are told apart. */
  readonly #names: readonly string[]
  /** What begins with each of them. */
  readonly #from: readonly TransportBuilder<T>[]
  readonly #retryMs: number
  /** The place of the wire that connected each transport. */
  readonly #places = new WeakMap<object, number>()
  /** The first one that is tried now. */
  #first = 0
  #retryAtMs = 0

  /** @param retryMs how long after a fall the preferred wire is tried again */
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

  /** What to connect with now. */
  builder(nowMs: number): TransportBuilder<T> {
    if (nowMs >= this.#retryAtMs) this.#first = 0
    return this.#from[this.#first]!
  }

  /** A connection was made. @returns whether that was a fall from the wire that was tried first */
  onConnected(transport: object, nowMs: number): boolean {
    const used = this.#places.get(transport) ?? 0
    if (used <= this.#first) return false
    this.#first = used
    this.#retryAtMs = nowMs + this.#retryMs
    return true
  }

  /** The same builder, which notes what it connected. */
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
