/** What the tests of this package share: connected pairs, and waiting on a transport. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address, HostAddress, RecvCompletion, Transport, TransportListener } from '@netts/core'
import { onTestFinished } from 'vitest'
import { type TcpOptions, tcp } from '../src/index.js'
import { silentAddress } from './processes.js'
import { until } from './until.js'

export { until }

export const LOOPBACK: Address = { host: '127.0.0.1', port: 0 }

/** A fresh path for a Unix domain socket, removed after the test. */
export function socketPath(): Address & { readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'netts-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return { path: join(directory, 'socket') }
}

/** A listener that is closed after the test. */
export async function openListener(
  options: TcpOptions & { backlog?: number } = {},
  address = LOOPBACK,
): Promise<TransportListener> {
  const { backlog, ...rest } = options
  const listener = await tcp(rest).listen(address, { backlog })
  onTestFinished(() => listener.close())
  return listener
}

/** Both ends of one connection, destroyed after the test. */
export async function openPair(
  options: TcpOptions = {},
  address = LOOPBACK,
): Promise<{ client: Transport; server: Transport }> {
  const listener = await openListener(options, address)
  const [client, server] = await Promise.all([tcp(options).connect(listener.address), listener.accept()])
  onTestFinished(() => {
    client.destroy()
    server!.destroy()
  })
  return { client, server: server! }
}

/** As {@link silentAddress}, until the test is over. */
export async function openSilentAddress(): Promise<HostAddress> {
  const { address, close } = await silentAddress()
  onTestFinished(close)
  return address
}

/** Sends everything, waiting for capacity. */
export async function sendAll(transport: Transport, data: Uint8Array): Promise<void> {
  let sent = 0
  await until(transport, () => {
    while (sent < data.byteLength && !transport.pollDisconnect()) {
      const accepted = transport.sendCopy(data.subarray(sent))
      if (accepted === 0) return false
      sent += accepted
    }
    return true
  })
}

/** Receives up to `byteLength` bytes, or up to the end. */
export async function receive(transport: Transport, byteLength = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = []
  const out: RecvCompletion[] = [{ chunkIndex: -1, byteLength: 0 }]
  let received = 0
  await until(transport, () => {
    while (received < byteLength && transport.pollRecv(out) === 1) {
      const { chunkIndex, byteLength } = out[0]!
      chunks.push(Buffer.from(transport.recvBuf(chunkIndex)))
      received += byteLength
      transport.repostRecv(chunkIndex)
    }
    return received >= byteLength || transport.recvEnded || transport.pollDisconnect()
  })
  return Buffer.concat(chunks)
}

/** Bytes that differ from their neighbours, so that a shift or a swap shows. */
export function pattern(byteLength: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(byteLength)
  let state = seed + 1
  for (let i = 0; i < byteLength; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    bytes[i] = state >>> 16
  }
  return bytes
}

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))
