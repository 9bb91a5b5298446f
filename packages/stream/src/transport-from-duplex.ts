/** The way from a stream to a transport: for a socket that somebody else made. */
import type { Duplex } from 'node:stream'
import type { Address, Transport, TransportCapabilities } from '@netts/core'
import { checkOptionNames } from '@netts/core/driver'
import { endsOf } from './transport-from-duplex/addresses.js'
import { checkCapabilities, checkDuplex } from './transport-from-duplex/checks.js'
import { DuplexTransport } from './transport-from-duplex/duplex-transport.js'
import { checkDuplexLimits, DUPLEX_LIMIT_NAMES, type DuplexLimits } from './transport-from-duplex/limits.js'

/** Options of {@link transportFromDuplex}. */
export interface TransportFromDuplexOptions extends DuplexLimits {
  /** The address at this end. @default what a `net.Socket` says; without a name, as a client of a Unix socket, otherwise */
  readonly localAddress?: Address | undefined
  /** The address of the peer. @default as for `localAddress` */
  readonly remoteAddress?: Address | undefined
  /**
   * What the stream can say of its peer, if more than a plain one: only who made it knows.
   * @default neither `detectsPeerCrash` nor `reset`
   */
  readonly capabilities?: TransportCapabilities | undefined
}

/**
 * Makes a transport of a Duplex, such as a `net.Socket` or `tls.TLSSocket` that came from elsewhere. The Duplex belongs
 * to the transport from then on: nobody else may read from it, write to it or end it.
 *
 * - `finish` ends its writable side, and its readable side goes on: `allowHalfOpen` is set.
 * - A send completes with the callback of its write, and `disconnect` is done with `finish`.
 * - An error of the Duplex, and a `close` before both sides ended, are errors of the transport: a NettsError as it is,
 *   any other one as the cause of `ERR_NETTS_PEER_LOST` (no answer) or `ERR_NETTS_RESET`.
 * - What a `net.Socket` sends is not copied. Any other Duplex may keep what it was given beyond the callback of the
 *   write, so that buffers given to `sendBuffer` are copied for it.
 * - `ref` and `unref` are those of the Duplex. One without them keeps the process alive until it is closed.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for what is no Duplex of bytes, one that is destroyed, connecting,
 *   or ended by this side, and for an unknown option, or one of the wrong type or out of range
 */
export function transportFromDuplex(duplex: Duplex, options: TransportFromDuplexOptions = {}): Transport {
  checkOptionNames('options', options, [
    ...DUPLEX_LIMIT_NAMES,
    'localAddress',
    'remoteAddress',
    'capabilities',
  ])
  checkDuplex(duplex)
  const ends = endsOf(duplex, options)
  const capabilities = checkCapabilities(options.capabilities)
  const transport = new DuplexTransport(duplex, ends, capabilities, checkDuplexLimits(options))
  transport.start()
  return transport
}
