/** Connects: looks the name up, and tries the addresses one after the other until one connects. */
import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { type Address, isPathAddress } from '@netts/core'
import { type ClockTimer, clock, type EndSignal } from '@netts/core/driver'
import { clientEnds } from './addresses.js'
import { connectFailed } from './errors.js'
import type { TcpConfig } from './options.js'
import { ReadBuffers } from './read-buffers.js'
import { TcpTransport } from './transport.js'

/** After this time without an answer the next address is tried too, in milliseconds (RFC 8305, section 5). */
const STAGGER_MS = 250

/**
 * Connects to an address.
 * @param ended cancels everything when it fires; the promise is ignored then
 */
export async function dial(address: Address, config: TcpConfig, ended: EndSignal): Promise<TcpTransport> {
  const targets = await findTargets(address)
  // A lookup cannot be cancelled.
  ended.throwIfAborted()
  return connectFirst(targets, address, config, ended)
}

/** Tries the targets one after the other. @returns the connection that is established first */
export function connectFirst(
  targets: readonly Address[],
  address: Address,
  config: TcpConfig,
  ended: EndSignal,
): Promise<TcpTransport> {
  return new Promise<TcpTransport>((resolve, reject) => {
    const pending = new Set<Socket>()
    const failures: Error[] = []
    let next = 0
    let stagger: ClockTimer | undefined

    const stop = () => {
      stagger?.close()
      ended.onabort = undefined
      for (const socket of pending) socket.destroy()
      pending.clear()
    }
    const fail = (error: Error) => {
      failures.push(error)
      if (next < targets.length) attempt()
      else if (pending.size === 0) {
        stop()
        reject(connectFailed(failures, address))
      }
    }
    const attempt = () => {
      stagger?.close()
      const target = targets[next++]!
      const reads = new ReadBuffers()
      let socket: Socket
      try {
        socket = connect({
          ...target,
          allowHalfOpen: true,
          noDelay: true,
          keepAlive: config.keepAlive,
          keepAliveInitialDelay: config.keepAliveDelayMs,
          onread: reads.onread,
        })
      } catch (error) {
        // Node.js forbids it, with --permission for example.
        return fail(error as Error)
      }
      const onFailure = (error: Error) => {
        if (pending.delete(socket)) fail(error)
      }
      pending.add(socket)
      socket.on('error', onFailure)
      socket.once('connect', () => {
        const ends = clientEnds(socket, target)
        if (!ends) return socket.destroy(new Error('the connection was closed as soon as it was made'))
        pending.delete(socket)
        stop()
        socket.off('error', onFailure)
        resolve(new TcpTransport(socket, ends, config, reads))
      })
      if (next < targets.length) stagger = clock.setTimer(attempt, STAGGER_MS)
    }
    ended.onabort = stop
    attempt()
  })
}

/** The addresses to try, in order. */
async function findTargets(address: Address): Promise<Address[]> {
  if (isPathAddress(address) || isIP(address.host)) return [address]
  const { host, port } = address
  const found = await lookup(host, { all: true }).catch((error: Error) => {
    throw connectFailed([error], address)
  })
  if (found.length === 0) throw connectFailed([new Error('the name has no addresses')], address)
  return found.map((entry) => Object.freeze({ host: entry.address, port }))
}
