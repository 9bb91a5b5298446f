/** Connections over loopback transports, and a raw peer that can say anything. */
import { expect } from 'vitest'
import type { Connection, ConnectionOptions } from '../connection/connection.js'
import { createConnection } from '../connection/create-connection.js'
import { type LoopbackOptions, type LoopbackTransport, loopbackPair } from './loopback.js'

/** Two connections with each other. */
export function connectionPair(
  transportOptions: LoopbackOptions = {},
  options: ConnectionOptions = {},
): { one: Connection; two: Connection; transportOne: LoopbackTransport; transportTwo: LoopbackTransport } {
  const [transportOne, transportTwo] = loopbackPair(transportOptions)
  return {
    one: createConnection(transportOne, options),
    two: createConnection(transportTwo, options),
    transportOne,
    transportTwo,
  }
}

/** A connection whose peer is a bare transport. */
export function connectionAndPeer(
  transportOptions: LoopbackOptions = {},
  options: ConnectionOptions = {},
): { connection: Connection; transport: LoopbackTransport; peer: LoopbackTransport } {
  const [transport, peer] = loopbackPair(transportOptions)
  return { connection: createConnection(transport, options), transport, peer }
}

/** A message as it is on the wire. */
export function frame(payload: Uint8Array | string): Buffer {
  const bytes = Buffer.from(payload as string)
  const header = Buffer.alloc(4)
  header.writeUInt32BE(bytes.byteLength)
  return Buffer.concat([header, bytes])
}

/** `byteLength` bytes that no neighbouring message has. */
export function pattern(byteLength: number, seed = byteLength): Buffer {
  const bytes = Buffer.allocUnsafe(byteLength)
  for (let index = 0; index < byteLength; index++) bytes[index] = (index * 31 + seed * 17) & 0xff
  return bytes
}

/** Fails unless both are the same bytes; says where they differ. */
export function expectBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  expect(actual?.byteLength).toBe(expected.byteLength)
  expect(actual!.findIndex((byte, index) => byte !== expected[index])).toBe(-1)
}

/** Takes everything in that has arrived at a bare transport, and lets its peer go on. */
export function drain(transport: LoopbackTransport): Buffer {
  const taken: Buffer[] = []
  const batch = [{ chunkIndex: 0, byteLength: 0 }]
  while (transport.pollRecv(batch) > 0) {
    const { chunkIndex } = batch[0]!
    taken.push(Buffer.from(transport.recvBuf(chunkIndex)))
    transport.repostRecv(chunkIndex)
  }
  return Buffer.concat(taken)
}

/** Lets everything happen that is not waiting for a timer. */
export const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

/** Nothing is held any more: no receive memory, no pooled buffer. */
export function expectNothingHeld(...transports: LoopbackTransport[]): void {
  for (const transport of transports) {
    expect(transport.chunks.size).toBe(0)
    expect(transport.bufferPool.outstandingBuffers()).toEqual([])
    expect(transport.bufferPool.stats.outstanding).toBe(0)
  }
}
