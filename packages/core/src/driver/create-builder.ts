/** The part of a builder that is the same for every driver: checks of arguments, defaults, and the deadline of `connect`. */
import type { Address } from '../address.js'
import type { Clock } from '../runtime/event-loop.js'
import type {
  ConnectOptions,
  ListenOptions,
  Transport,
  TransportBuilder,
  TransportListener,
} from '../transport.js'
import { checkAddress } from './check-address.js'
import { type EndSignal, withDeadline } from './deadline.js'
import { checkInteger, checkOptionNames } from './options.js'

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000
/** The default of node:net. */
const DEFAULT_BACKLOG = 511
/** The largest `backlog` that is accepted. */
const MOST_BACKLOG = 65_535

/** The parts of a builder that a driver implements. Options and addresses are checked before these are called. */
export interface BuilderParts<T extends Transport, A extends Address = Address> {
  /** The driver's name, such as `tcp`. */
  readonly name: string
  /**
   * Returns the address, or refuses one that the wire does not support. Its shape has been checked.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`
   */
  readonly checkAddress?: (address: Address, operation: 'connect' | 'listen') => A
  /**
   * Connects. When `ended` fires, the caller cancelled the attempt or the deadline passed: free everything. A transport that
   * comes too late is destroyed.
   */
  readonly connect: (address: A, ended: EndSignal) => Promise<T>
  /** Starts to listen. `backlog` is 1 to 65535. */
  readonly listen: (address: A, backlog: number) => Promise<TransportListener<T>>
  /** Returns the clock of the deadline of `connect`. @default {@link clock} */
  readonly clock?: (() => Clock) | undefined
}

/**
 * Makes a driver's builder: it checks options and addresses, fills in the defaults (`timeoutMs` 10000, `backlog` 511), and
 * applies the deadline and the signal of `connect`. The result is frozen.
 */
export function createBuilder<T extends Transport, A extends Address = Address>(
  parts: BuilderParts<T, A>,
): TransportBuilder<T> {
  const check = (address: Address, operation: 'connect' | 'listen') => {
    const checked = checkAddress(address, operation)
    return parts.checkAddress ? parts.checkAddress(checked, operation) : (checked as A)
  }
  return Object.freeze({
    name: parts.name,
    async connect(asked: Address, options: ConnectOptions = {}): Promise<T> {
      const { signal, timeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = checkOptionNames('options', options, [
        'signal',
        'timeoutMs',
      ])
      const address = check(asked, 'connect')
      return withDeadline({
        operation: 'connect',
        address,
        signal,
        timeoutMs,
        clock: parts.clock?.(),
        start: (ended) => parts.connect(address, ended),
        dispose: (transport) => transport.destroy(),
      })
    },
    async listen(asked: Address, options: ListenOptions = {}): Promise<TransportListener<T>> {
      const { backlog = DEFAULT_BACKLOG } = checkOptionNames('options', options, ['backlog'])
      const address = check(asked, 'listen')
      return parts.listen(address, checkInteger('backlog', backlog, 1, MOST_BACKLOG))
    },
  })
}
