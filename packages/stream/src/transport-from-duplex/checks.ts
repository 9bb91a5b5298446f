/** Checks of what `transportFromDuplex` is given. */
import { Duplex } from 'node:stream'
import type { TransportCapabilities } from '@netts/core'
import { checkBoolean, checkOptionNames, invalidArgument } from '@netts/core/driver'

/** What a Duplex of unknown make can say of its peer. */
const PLAIN: TransportCapabilities = Object.freeze({ detectsPeerCrash: false, reset: false })

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` unless it is a Duplex of bytes that is connected and can be written to */
export function checkDuplex(duplex: Duplex): void {
  if (!(duplex instanceof Duplex)) throw invalidArgument('duplex must be a Duplex of node:stream')
  const { readableObjectMode, writableObjectMode, readableEncoding } = duplex
  if (readableObjectMode || writableObjectMode) throw invalidArgument('duplex must carry bytes, not objects')
  if (readableEncoding !== null) throw invalidArgument('duplex must give bytes: setEncoding was called on it')
  if (duplex.destroyed) throw invalidArgument('duplex is destroyed')
  if (duplex.writableEnded) throw invalidArgument('duplex is ended already')
  if ((duplex as { connecting?: unknown }).connecting === true) {
    throw invalidArgument("duplex is still connecting: wait for its 'connect' event")
  }
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for what are no capabilities */
export function checkCapabilities(capabilities: TransportCapabilities = PLAIN): TransportCapabilities {
  const { detectsPeerCrash, reset } = checkOptionNames('capabilities', capabilities, Object.keys(PLAIN))
  return Object.freeze({
    detectsPeerCrash: checkBoolean('capabilities.detectsPeerCrash', detectsPeerCrash),
    reset: checkBoolean('capabilities.reset', reset),
  })
}
