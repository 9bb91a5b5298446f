/** A listener over several wires. */
import { type Address, isPathAddress, type ListeningAddress } from '../address.js'
import { BaseListener } from '../driver/base-listener.js'
import { isNettsError, NettsError } from '../errors.js'
import type {
  AcceptOptions,
  ListenOptions,
  Transport,
  TransportBuilder,
  TransportListener,
} from '../transport.js'
import { rememberWire } from './wire-of.js'

/** A listener over every wire that the machine has, made by the `listen` of {@link preferring}. */
export interface PreferringListener<T extends Transport = Transport> extends TransportListener<T> {
  /** The address on which the first of its wires listens. */
  readonly address: Address
  /** The address on which each wire listens, in order of preference. */
  readonly addresses: readonly ListeningAddress[]
}

/** A wire to listen on. */
interface ListenCandidate<T extends Transport> {
  /** The name of the builder. */
  readonly wire: string
  readonly builder: TransportBuilder<T>
  /** The address of this wire, if it has its own. */
  readonly address?: Address | undefined
}

/** One wire that listens. */
interface OpenWire<T extends Transport> {
  readonly wire: string
  readonly listener: TransportListener<T>
  /** Whether it listens at the common address. */
  readonly isWithOthers: boolean
}

/** How often another port is tried for all wires, when the port that the system chose for the first is in use on another. */
const PORT_ATTEMPTS = 10

/** The codes of a wire that this machine does not have; the wire is left out. */
const ABSENT: ReadonlySet<unknown> = new Set(['ERR_NETTS_UNAVAILABLE', 'ERR_NETTS_UNSUPPORTED'])

/**
 * Listens over all wires that this machine has; if one of them fails, over none.
 *
 * @param onAbsent called for each wire that this machine does not have, with its index
 */
export async function listenOnAll<T extends Transport>(
  wires: readonly ListenCandidate<T>[],
  address: Address,
  options: ListenOptions,
  onAbsent: (index: number, error: NettsError) => void,
): Promise<PreferringListener<T>> {
  for (let attempt = 1; ; attempt++) {
    const absent: { index: number; wire: string; error: NettsError }[] = []
    const open: OpenWire<T>[] = []
    let isPortTaken = false
    try {
      let port = isPathAddress(address) ? undefined : address.port
      for (const [index, wire] of wires.entries()) {
        const target = wire.address ?? (port === undefined ? address : { ...address, port })
        const sharesChosenPort = !wire.address && port !== undefined && isAnyPort(address) && port !== 0
        try {
          const listener = await wire.builder.listen(target, options)
          open.push({ wire: wire.wire, listener, isWithOthers: !wire.address })
          if (!wire.address && port === 0 && !isPathAddress(listener.address)) port = listener.address.port
        } catch (error) {
          if (isNettsError(error) && ABSENT.has(error.code)) absent.push({ index, wire: wire.wire, error })
          else {
            const isTaken = isNettsError(error) && error.code === 'ERR_NETTS_LISTEN_FAILED'
            isPortTaken = sharesChosenPort && isTaken
            throw isTaken && !wire.address ? besideOthers(wire.wire, open, error) : error
          }
        }
      }
    } catch (error) {
      await Promise.all(open.map(({ listener }) => listener.close()))
      if (isPortTaken && attempt < PORT_ATTEMPTS) continue
      throw error
    }
    for (const { index, error } of absent) onAbsent(index, error)
    if (open.length === 0) throw nothingHere(absent, address)
    return new ListenerOfAll(open)
  }
}

function isAnyPort(address: Address): boolean {
  return !isPathAddress(address) && address.port === 0
}

/** The error of a wire that cannot listen. It names the wires that listen at the same address, which may be the reason. */
function besideOthers(wire: string, open: readonly OpenWire<Transport>[], error: NettsError): NettsError {
  const others = open.filter(({ isWithOthers }) => isWithOthers).map(({ wire: other }) => other)
  if (others.length === 0) return error
  return new NettsError(
    error.code,
    `${wire} cannot listen at the same address as ${others.join(' and ')}: ${error.message}. RDMA over iWARP takes the TCP port of the same number: give one of the wires its own address, as { builder, address }`,
    { cause: error, operation: 'listen', ...(error.address && { address: error.address }) },
  )
}

function nothingHere(
  absent: readonly { readonly wire: string; readonly error: NettsError }[],
  address: Address,
): NettsError {
  const reasons = absent.map(({ wire, error }) => `${wire}: ${error.message}`)
  return new NettsError(
    'ERR_NETTS_UNAVAILABLE',
    `this machine has none of the wires: ${reasons.join('; ')}`,
    {
      cause: new AggregateError(absent.map(({ error }) => error)),
      operation: 'listen',
      address,
    },
  )
}

class ListenerOfAll<T extends Transport> extends BaseListener<T> implements PreferringListener<T> {
  readonly address: Address
  readonly addresses: readonly ListeningAddress[]
  readonly #open: readonly OpenWire<T>[]
  /** Wires with a pending call of `accept`. */
  readonly #asked = new Set<OpenWire<T>>()

  constructor(open: readonly OpenWire<T>[]) {
    // Each wire has its own backlog; here at most one connection of each wire waits.
    super(open.length)
    this.#open = open
    this.addresses = Object.freeze(
      open.map(({ wire, listener }) => Object.freeze({ wire, address: listener.address })),
    )
    this.address = this.addresses[0]!.address
  }

  override accept(options?: AcceptOptions): Promise<T | undefined> {
    const accepted = super.accept(options)
    if (this.queue.length === 0) for (const wire of this.#open) this.#ask(wire)
    return accepted
  }

  override async close(): Promise<void> {
    await super.close()
    await Promise.all(this.#open.map(({ listener }) => listener.close()))
  }

  ref(): void {
    for (const { listener } of this.#open) listener.ref()
  }

  unref(): void {
    for (const { listener } of this.#open) listener.unref()
  }

  protected stop(): void {}

  /** Whether a call of `accept` waits: then there is room for more than one connection of each wire. */
  get #isWaitedFor(): boolean {
    return this.queue.room > this.#open.length
  }

  #ask(wire: OpenWire<T>): void {
    if (this.#asked.has(wire)) return
    this.#asked.add(wire)
    wire.listener.accept().then(
      (transport) => {
        // Without one, the listener was closed.
        if (!transport) return
        this.#asked.delete(wire)
        rememberWire(transport, wire.wire)
        if (!this.queue.push(transport)) transport.destroy()
        else if (this.#isWaitedFor) this.#ask(wire)
      },
      // If the listener of one wire fails, `accept` rejects, as that of a single wire does.
      (error: NettsError) => this.queue.fail(error),
    )
  }
}
