/** The send queue of a TCP socket in Linux: bytes that were written and that the peer's host has not acknowledged. */
import { readFile } from 'node:fs/promises'
import { isIPv6, SocketAddress } from 'node:net'
import { endianness } from 'node:os'
import type { HostAddress } from '@netts/core'

// Calls at the same time share one read of the table.
const reading = new Map<string, Promise<string>>()

function readTable(file: string): Promise<string> {
  let table = reading.get(file)
  if (!table) {
    table = readFile(file, 'latin1')
      .catch(() => '')
      .finally(() => reading.delete(file))
    reading.set(file, table)
  }
  return table
}

/** @returns the bytes in the send queue; 0 on other systems than Linux, or if there is no such socket. Never rejects. */
export async function kernelQueueBytes(local: HostAddress, remote: HostAddress): Promise<number> {
  if (process.platform !== 'linux') return 0
  const table = await readTable(isIPv6(local.host) ? '/proc/net/tcp6' : '/proc/net/tcp')
  return queueIn(table, local, remote)
}

/** Columns of `/proc/net/tcp` (proc(5)): slot, local address, remote address, state, and both queues. */
const ROW = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]+):/gm

/** The send queue of a connection in the text of `/proc/net/tcp` or `tcp6`; 0 if the connection is not in it. */
export function queueIn(table: string, local: HostAddress, remote: HostAddress): number {
  const [localPort, remotePort] = [portOf(local), portOf(remote)]
  for (const [, localHost, ofLocal, remoteHost, ofRemote, queue] of table.matchAll(ROW)) {
    if (ofLocal !== localPort || ofRemote !== remotePort) continue
    if (hostOf(localHost!) === bare(local.host) && hostOf(remoteHost!) === bare(remote.host)) {
      return Number.parseInt(queue!, 16)
    }
  }
  return 0
}

function portOf({ port }: HostAddress): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

/** Without the zone of a link-local address, which the table does not have. */
function bare(host: string): string {
  return host.split('%', 1)[0]!
}

/** The kernel prints addresses as 32-bit numbers of its own byte order. */
function hostOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  if (bytes.length === 4) return bytes.join('.')
  const groups = bytes.toString('hex').match(/.{4}/g)!
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address
}
