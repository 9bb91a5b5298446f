/** Makes a transport of a Duplex, such as a socket that another library made. */
import type { Duplex } from 'node:stream'
import type { Address, Transport, TransportCapabilities } from '@netts/core'
import { checkOptionNames } from '@netts/core/driver'
import { endsOf } from './transport-from-duplex/addresses.js'
import { checkCapabilities, checkDuplex } from './transport-from-duplex/checks.js'
import { DuplexTransport } from './transport-from-duplex/duplex-transport.js'
import { checkDuplexLimits, DUPLEX_LIMIT_NAMES, type DuplexLimits } from './transport-from-duplex/limits.js'

/** Options of {@link transportFromDuplex}. */
export interface TransportFromDuplexOptions extends DuplexLimits {
  /** The address at this end. @default that of a `net.Socket`; `{ path: '' }` for any other Duplex */
  readonly localAddress?: Address | undefined
  /** The address of the peer. @default that of a `net.Socket`; `{ path: '' }` for any other Duplex */
  readonly remoteAddress?: Address | undefined
  /**
   * What the Duplex can report about its peer, if it can report more than a plain one. It cannot be detected.
   * @default both `false`: neither `detectsPeerCrash` nor `reset`
   */
  readonly capabilities?: TransportCapabilities | undefined
}

/**
 * Makes a transport of a Duplex, such as a `net.Socket` or `tls.TLSSocket` that another library made. The Duplex belongs to
 * the transport from then on: nothing else may read from it, write to it or end it.
 *
 * - `finish` ends its writable side, and its readable side continues: the transport sets `allowHalfOpen`.
 * - A send completes with the callback of its write; `disconnect` completes with the callback of `end`.
 * - An error of the Duplex, and a `close` before both sides have ended, are errors of the transport. A NettsError is used as
 *   it is; any other error becomes the cause of `ERR_NETTS_PEER_LOST` (the peer does not answer) or `ERR_NETTS_RESET`.
 * - Buffers given to `sendBuffer` are written to a `net.Socket` without a copy. They are copied for any other Duplex, which
 *   may keep the bytes beyond the callback of the write.
 * - `ref` and `unref` are those of the Duplex. One without them keeps the process alive until it is closed or `unref` of
 *   the transport is called.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for something that is not a Duplex of bytes, for a Duplex that is
 *   destroyed, still connecting or ended on this side, and for an option that is unknown, of the wrong type or out of range
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
