/** Strangers to this driver: what they say, and frames and Writes that may be wrong in anything. */
import { meetStranger as meetOne, type Stranger, type StrangerManners } from '@netts/rdma-suite/stranger'
import { SendFlag, SendOpcode } from '@netts/verbs'
import { FrameKind, writeFrameHeader, writeUint32 } from '@netts/verbs/endpoint'
import type { SeededRandom, SimulatedFabric } from '@netts/verbs/simulated'
import { HEADER_BYTES, writeArgument, writeReleased } from '../src/protocol/frame.js'
import { decodeReady, encodeHello, encodeReady, type RingAddress } from '../src/protocol/hello.js'
import { tested } from './tested.js'

/** Rings of a page, so that there is an end near. */
export const OPTIONS = { capacity: 4096 }
export const HELLO = { capacity: 4096, posted: 8, maxPosted: 20, features: 0 }

/** What a stranger says that knows how to behave at first. */
export const MANNERS: StrangerManners = {
  identity: { driver: 2, version: 1 },
  hello: encodeHello(HELLO),
  // Nobody writes to it.
  ready: encodeReady({ address: 0n, key: 0 }),
  receives: 20,
}

/** Where the peer of a stranger has its ring. */
export function ringOf(stranger: Stranger): RingAddress {
  return decodeReady(stranger.peerReady) as RingAddress
}

/** Writes bytes into the peer's ring, and says that a frame ends at this position, as the device at hand does that. */
export function writeRing(
  stranger: Stranger,
  bytes: Uint8Array,
  { offset = 0, position = bytes.byteLength, ring = ringOf(stranger) } = {},
): void {
  const { device } = stranger.endpoint
  const request = {
    opcode: device.transport === 'iwarp' ? SendOpcode.write : SendOpcode.writeWithImmediate,
    remoteAddress: ring.address + BigInt(offset),
    remoteKey: ring.key,
    immediate: position,
    flags: SendFlag.signalled,
  }
  stranger.send(bytes, request)
  if (device.transport !== 'iwarp') return
  const doorbell = new Uint8Array(4)
  writeUint32(doorbell, 0, position)
  stranger.send(doorbell, {}, bytes.byteLength)
}

/** A good frame of data. */
export function dataFrame(
  byteLength: number,
  { posted = 8, released = 0, kind = FrameKind.data as number } = {},
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + byteLength).fill(7)
  writeFrameHeader(bytes, 0, kind, posted)
  writeReleased(bytes, 0, released)
  writeArgument(bytes, 0, byteLength)
  return bytes
}

function anything(stranger: Stranger, random: SeededRandom): void {
  const noise = () => Uint8Array.from({ length: random.below(40) }, () => random.below(256))
  const lie = (truth: number) => (random.chance(0.5) ? truth : random.below(2 ** 32))
  const ring = ringOf(stranger)
  switch (random.below(4)) {
    case 0:
      stranger.send(noise())
      return
    case 1: {
      // A control frame that is right in most.
      const bytes = new Uint8Array(HEADER_BYTES)
      writeFrameHeader(bytes, 0, 1 + random.below(7), 8 + random.below(16))
      writeReleased(bytes, 0, random.chance(0.5) ? 0 : random.below(2 ** 32))
      writeArgument(bytes, 0, random.below(3))
      stranger.send(bytes)
      return
    }
    case 2:
      // Somewhere, with somebody's key.
      writeRing(stranger, noise(), {
        offset: random.below(8192),
        position: lie(40),
        ring: { address: ring.address, key: lie(ring.key) },
      })
      return
    default: {
      const byteLength = 1 + random.below(1000)
      const frame = dataFrame(byteLength, { posted: lie(8), released: lie(0) })
      writeRing(stranger, frame, { position: lie(frame.byteLength) })
    }
  }
}

/** Meets a stranger that does one thing, at random. */
export function meetStranger(fabric: SimulatedFabric): Promise<void> {
  // A Send that is longer than a receive fails in the device, as does a Write to where it may not.
  return meetOne(tested, fabric, MANNERS, OPTIONS, anything, /^ERR_NETTS_(PROTOCOL|RESET|VERBS)$/)
}
