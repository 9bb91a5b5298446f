/** Translates the system errors of Node.js into NettsErrors. */
import { type Address, formatAddress, NettsError } from '@netts/core'

/** What the codes of system errors (errno(3), getaddrinfo(3)) usually mean, and what to do. */
const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'not permitted; ports below 1024, and directories of other users, need privileges',
  EADDRINUSE: 'something listens there already; choose another port, or stop the other process',
  EADDRNOTAVAIL: 'no interface of this machine has that address',
  EAI_AGAIN: 'the name could not be looked up now; check the resolver and the network',
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'no route to the host',
  EMFILE: 'this process has too many open files; raise `ulimit -n`',
  ENETUNREACH: 'no route to the network',
  ENOENT: 'the path, or a directory of it, does not exist',
  ENOTFOUND: 'the name does not resolve',
  ENOTSOCK: 'the path is not a socket',
  ETIMEDOUT: 'the host did not answer',
}

/** Codes of system errors that mean that the peer does not answer. */
const SILENCE: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
])

/** The error of an attempt to connect; several causes become one AggregateError. */
export function connectFailed(causes: readonly Error[], address: Address): NettsError {
  const reasons = new Set(causes.map(describe))
  return new NettsError(
    'ERR_NETTS_CONNECT_FAILED',
    `connect to ${formatAddress(address)} failed: ${[...reasons].join('; ')}`,
    {
      cause: causes.length === 1 ? causes[0] : new AggregateError(causes, 'every address failed'),
      operation: 'connect',
      address,
    },
  )
}

/** The error of an attempt to listen. */
export function listenFailed(cause: Error, address: Address): NettsError {
  const stale =
    'path' in address && errnoOf(cause) === 'EADDRINUSE'
      ? 'the path exists; another process listens there, or one that crashed left it behind: then remove it'
      : undefined
  return new NettsError(
    'ERR_NETTS_LISTEN_FAILED',
    `listen on ${formatAddress(address)} failed: ${stale ? `${stale} (EADDRINUSE)` : describe(cause)}`,
    { cause, operation: 'listen', address },
  )
}

/** The error that ended an established transport. */
export function transportFailed(cause: Error, remoteAddress: Address): NettsError {
  const errno = errnoOf(cause)
  const lost = errno !== undefined && SILENCE.has(errno)
  const peer = formatAddress(remoteAddress)
  return new NettsError(
    lost ? 'ERR_NETTS_PEER_LOST' : 'ERR_NETTS_RESET',
    lost
      ? `the peer ${peer} stopped answering: ${describe(cause)}`
      : `the connection with ${peer} was reset: ${describe(cause)}`,
    { cause, address: remoteAddress },
  )
}

/** The peer reset the connection, and node:net reported only an end. */
export function endedByReset(remoteAddress: Address): NettsError {
  return new NettsError('ERR_NETTS_RESET', `the connection with ${formatAddress(remoteAddress)} was reset`, {
    address: remoteAddress,
  })
}

/** A connection could not be accepted. */
export function acceptFailed(cause: Error, address: Address): NettsError {
  return new NettsError(
    'ERR_NETTS_LISTEN_FAILED',
    `the listener on ${formatAddress(address)} could not accept a connection: ${describe(cause)}`,
    { cause, operation: 'accept', address },
  )
}

function errnoOf(error: Error): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function describe(error: Error): string {
  const errno = errnoOf(error)
  const hint = errno === undefined ? undefined : HINTS[errno]
  return hint ? `${hint} (${errno})` : error.message
}
