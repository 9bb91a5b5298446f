/** What tests of `tls()` share: pairs, waiting, and a wire in the middle that can be tampered with. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Address, HostAddress, Transport, TransportListener } from '@netts/core'
import { tcp } from '@netts/tcp'
import { type TlsOptions, type TlsTransport, tls } from '../src/index.js'

/** Any port of this machine. */
export const ANYWHERE: HostAddress = { host: '127.0.0.1', port: 0 }

/** A client and the end that its listener accepted, over TCP. */
export async function pair(client: TlsOptions, server: TlsOptions): Promise<Pair> {
  const listener = await tls(tcp(), server).listen(ANYWHERE)
  const [near, far] = await Promise.all([tls(tcp(), client).connect(listener.address), listener.accept()])
  return {
    client: near,
    server: far!,
    listener,
    async close() {
      near.destroy()
      far!.destroy()
      await listener.close()
    },
  }
}

/** See {@link pair}. */
export interface Pair {
  readonly client: TlsTransport
  readonly server: TlsTransport
  readonly listener: TransportListener<TlsTransport>
  close(): Promise<void>
}

/** Resolves when `condition` holds, asked whenever the transport's waker is called. */
export function until(transport: Transport, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!condition()) return
      transport.waker = undefined
      resolve()
    }
    transport.waker = look
    look()
  })
}

/** What is received up to the end, a failure, or so many bytes. */
export async function receive(transport: Transport, byteLength = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const parts: Buffer[] = []
  let total = 0
  const out = [{ chunkIndex: 0, byteLength: 0 }]
  await until(transport, () => {
    while (total < byteLength && transport.pollRecv(out) > 0) {
      parts.push(Buffer.from(transport.recvBuf(out[0]!.chunkIndex)))
      total += out[0]!.byteLength
      transport.repostRecv(out[0]!.chunkIndex)
    }
    return total >= byteLength || transport.recvEnded || transport.pollDisconnect()
  })
  return Buffer.concat(parts)
}

/** Sends all of it, as capacity comes. */
export async function send(transport: Transport, bytes: Uint8Array): Promise<void> {
  let sent = 0
  await until(transport, () => {
    while (sent < bytes.length && !transport.pollDisconnect()) {
      const accepted = transport.sendCopy(bytes.subarray(sent))
      if (accepted === 0) return false
      sent += accepted
    }
    return true
  })
}

/** Waits until the transport is closed, and says why. */
export async function closed(transport: Transport): Promise<Transport['error']> {
  const out = [{ chunkIndex: 0, byteLength: 0 }]
  await until(transport, () => {
    while (transport.pollRecv(out) > 0) transport.repostRecv(out[0]!.chunkIndex)
    return transport.pollDisconnect()
  })
  return transport.error
}

/** A wire in the middle: it passes everything on between its clients and a listener, until it is told otherwise. */
export interface Middle {
  readonly address: Address
  /** Changes what comes from the clients, or from the listener. @default as it is */
  change: (bytes: Buffer, from: 'client' | 'server') => Buffer
  /** The two sockets of each client, the one towards the client first. */
  readonly links: readonly (readonly [Socket, Socket])[]
  close(): Promise<void>
}

/** See {@link Middle}. */
export async function middle(listening: Address): Promise<Middle> {
  const links: [Socket, Socket][] = []
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ ...(listening as HostAddress), allowHalfOpen: true })
    links.push([near, far])
    near.on('data', (bytes) => far.write(it.change(bytes, 'client')))
    far.on('data', (bytes) => near.write(it.change(bytes, 'server')))
    near.on('end', () => far.end())
    far.on('end', () => near.end())
    for (const socket of [near, far]) socket.on('error', () => {})
  })
  const it: Middle = {
    address: await listen(server),
    change: (bytes) => bytes,
    links,
    close() {
      for (const link of links) for (const socket of link) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return it
}

async function listen(server: Server): Promise<HostAddress> {
  await new Promise<void>((resolve) => server.listen(ANYWHERE, resolve))
  return { host: '127.0.0.1', port: (server.address() as { port: number }).port }
}
