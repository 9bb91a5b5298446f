/** Several wires as one builder: it connects over the first that works, and listens on all that this machine has. */
import type { Address } from '../address.js'
import { wireFallbackChannel } from '../diagnostics.js'
import { checkAddress } from '../driver/check-address.js'
import { checkOptionNames, checkSignal, checkTimeout } from '../driver/options.js'
import { aborted, invalidArgument, isNettsError, NettsError } from '../errors.js'
import { now } from '../runtime/event-loop.js'
import type { ConnectOptions, ListenOptions, Transport, TransportBuilder } from '../transport.js'
import { type FallbackReason, fallbackReason } from './fallback.js'
import { listenOnAll, type PreferringListener } from './listen-on-all.js'
import { rememberWire } from './wire-of.js'

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000

/** A wire for {@link preferring}: a builder, with an address of its own if it needs one. */
export interface WireCandidate<T extends Transport = Transport> {
  /** The driver of this wire. */
  readonly builder: TransportBuilder<T>
  /** The address to connect to, or to listen on, over this wire. @default the address of the call */
  readonly address?: Address | undefined
}

/** How often one wire was not available, by the code of the error. */
export interface WireFallbacks {
  /** The name of its builder, such as `tcp`; the second wire of the same name is `tcp#2`. */
  readonly wire: string
  /** How often each code led to the next wire, since the builder was made. The object is live. */
  readonly counts: Readonly<Partial<Record<FallbackReason, number>>>
}

/** Several wires in order of preference as one builder, made by {@link preferring}. */
export interface PreferringBuilder<T extends Transport = Transport> extends TransportBuilder<T> {
  /**
   * Listens over every wire that this machine has; {@link PreferringListener.addresses} lists them. A wire that fails with
   * `ERR_NETTS_UNAVAILABLE` or `ERR_NETTS_UNSUPPORTED` is left out, counted in {@link fallbacks}, and reported on the
   * channel `netts:wire:fallback`. With port 0 all wires get the same port, except those with an address of their own.
   *
   * Rejects with `ERR_NETTS_UNAVAILABLE` when this machine has none of the wires, and with the error of a wire that fails
   * otherwise, such as `ERR_NETTS_LISTEN_FAILED`; nothing listens then.
   */
  listen(address: Address, options?: ListenOptions): Promise<PreferringListener<T>>
  /** How often each wire was not available, in order of preference. The counts are live. */
  readonly fallbacks: readonly WireFallbacks[]
}

/** A wire, and how often it was not available. */
interface Wire<T extends Transport> extends WireCandidate<T>, WireFallbacks {
  wire: string
  readonly counts: Partial<Record<FallbackReason, number>>
}

/**
 * Makes one builder of several wires, in order of preference: `preferring(sendRecv(), tcp())`.
 *
 * `connect` tries one wire after the other, within one deadline. Each wire gets an equal share of the time that is left, so
 * that a wire that does not answer leaves time for the next one. The next wire is tried when this machine or the peer does
 * not have a wire (see {@link FallbackReason}), but never after a certificate, argument or protocol error. Each fallback is
 * counted in `fallbacks`, and reported on the diagnostics channel `netts:wire:fallback`. {@link wireOf} tells which wire a
 * connection runs on. If every wire fails, `connect` rejects with the code of the last error; the cause is an
 * `AggregateError` of all.
 *
 * @param candidates builders, or builders with an address of their own
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` without a candidate, or for one that is not valid
 */
export function preferring<T extends Transport>(
  ...candidates: (TransportBuilder<T> | WireCandidate<T>)[]
): PreferringBuilder<T> {
  const wires = candidates.map(checkCandidate)
  tellApart(wires)
  if (wires.length === 0) throw invalidArgument('preferring needs at least one builder')
  return Object.freeze({
    name: `preferring(${wires.map(({ wire }) => wire).join(', ')})`,
    fallbacks: Object.freeze(wires.map(({ wire, counts }) => ({ wire, counts }))),
    connect: (address: Address, options?: ConnectOptions) => connectInOrder(wires, address, options),
    async listen(asked: Address, options: ListenOptions = {}) {
      const address = checkAddress(asked, 'listen')
      return listenOnAll(wires, address, options, (index, error) => {
        const wire = wires[index]!
        onFallback(wire, wire.address ?? address, 'listen', error)
      })
    },
  })
}

function checkCandidate<T extends Transport>(candidate: TransportBuilder<T> | WireCandidate<T>): Wire<T> {
  const isWrapped = typeof candidate === 'object' && candidate !== null && 'builder' in candidate
  if (isWrapped) checkOptionNames('candidate', candidate, ['builder', 'address'])
  const { builder, address } = isWrapped ? candidate : { builder: candidate, address: undefined }
  if (typeof builder?.connect !== 'function' || typeof builder.listen !== 'function') {
    throw invalidArgument('each candidate must be a TransportBuilder, such as tcp(), or { builder, address }')
  }
  const own = address && checkAddress(address, 'listen')
  return { builder, address: own, wire: builder.name, counts: {} }
}

/** Makes the names of wires unique, for example of two networks over TCP. */
function tellApart<T extends Transport>(wires: readonly Wire<T>[]): void {
  const seen = new Map<string, number>()
  for (const wire of wires) {
    const count = (seen.get(wire.wire) ?? 0) + 1
    seen.set(wire.wire, count)
    if (count > 1) wire.wire = `${wire.wire}#${count}`
  }
}

async function connectInOrder<T extends Transport>(
  wires: readonly Wire<T>[],
  asked: Address,
  options: ConnectOptions = {},
): Promise<T> {
  const { signal: given, timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = checkOptionNames('options', options, [
    'signal',
    'timeoutMs',
  ])
  const address = checkAddress(asked, 'connect')
  const signal = checkSignal(given)
  checkTimeout('timeoutMs', timeoutMs)
  const endMs = now() + timeoutMs
  const errors: NettsError[] = []
  for (const [index, wire] of wires.entries()) {
    if (signal?.aborted) throw aborted(signal, 'connect', address)
    const target = wire.address ?? address
    const untried = wires.length - index
    try {
      const transport = await wire.builder.connect(target, {
        signal,
        timeoutMs: timeoutMs === 0 ? endlessShare(untried) : share(endMs - now(), untried),
      })
      rememberWire(transport, wire.wire)
      return transport
    } catch (error) {
      if (!isNettsError(error) || fallbackReason(error) === undefined) throw error
      errors.push(error)
      onFallback(wire, target, 'connect', error)
    }
  }
  throw noWire(wires, errors, address)
}

/** An equal share of the time that is left: at least 1 ms, since 0 would disable the deadline. */
function share(leftMs: number, untried: number): number {
  return Math.max(1, Math.ceil(leftMs / untried))
}

/** Without a deadline the last wire has none, and the others have the default one. */
function endlessShare(untried: number): number {
  return untried === 1 ? 0 : DEFAULT_CONNECT_TIMEOUT_MS
}

function onFallback<T extends Transport>(
  { wire, counts }: Wire<T>,
  address: Address,
  operation: 'connect' | 'listen',
  error: NettsError,
): void {
  const reason = error.code as FallbackReason
  const count = (counts[reason] ?? 0) + 1
  counts[reason] = count
  if (wireFallbackChannel.hasSubscribers) {
    wireFallbackChannel.publish({ wire, address, operation, reason, error, count })
  }
}

function noWire<T extends Transport>(
  wires: readonly Wire<T>[],
  errors: readonly NettsError[],
  address: Address,
): NettsError {
  const last = errors[errors.length - 1] as NettsError
  if (errors.length === 1) return last
  const reasons = errors.map(({ message }, index) => `${wires[index]!.wire}: ${message}`)
  return new NettsError(last.code, `connecting failed over every wire: ${reasons.join('; ')}`, {
    cause: new AggregateError(errors),
    operation: 'connect',
    address,
  })
}
