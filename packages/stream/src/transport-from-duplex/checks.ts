/** Checks of the arguments of `transportFromDuplex`. */
import { Duplex } from 'node:stream'
import type { TransportCapabilities } from '@netts/core'
import { checkBoolean, checkOptionNames, invalidArgument } from '@netts/core/driver'

/** What an unknown Duplex can report about its peer. */
const PLAIN: TransportCapabilities = Object.freeze({ detectsPeerCrash: false, reset: false })

/**
 * Checks that a Duplex carries bytes, is connected and can be written to.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise
 */
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

/**
 * Checks the option `capabilities`.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown name, or a value that is not a boolean
 */
export function checkCapabilities(capabilities: TransportCapabilities = PLAIN): TransportCapabilities {
  const { detectsPeerCrash, reset } = checkOptionNames('capabilities', capabilities, Object.keys(PLAIN))
  return Object.freeze({
    detectsPeerCrash: checkBoolean('capabilities.detectsPeerCrash', detectsPeerCrash),
    reset: checkBoolean('capabilities.reset', reset),
  })
}
