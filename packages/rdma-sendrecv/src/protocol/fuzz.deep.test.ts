/** A million frames and hellos of any bytes: taken or refused with a reason, and the memory stays flat. */
import { SIZES_BYTES } from '@netts/verbs/endpoint'
import { expect, it } from 'vitest'
import { checkFrame, type FrameKindNumber, readArgument, readPosted } from './frame.js'
import { decodeHello, encodeHello } from './hello.js'
import { ProtocolEnd } from './protocol-end.js'

const FRAMES = 1_000_000
const HELLO = { bufferSize: 2048, posted: 8, maxPosted: 20, features: 0 }

let state = 0x2545f491
function random(below: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}

it('a million hellos of any bytes are taken, or refused with a reason, and nothing grows', () => {
  const bytes = new Uint8Array(56)
  let [taken, refused, heapBefore] = [0, 0, 0]
  for (let i = 0; i < FRAMES; i++) {
    if (i === FRAMES / 10) heapBefore = process.memoryUsage().heapUsed
    for (let at = 0; at < SIZES_BYTES; at++) bytes[at] = random(256)
    // Half of them are good but for one byte.
    if (random(2) === 0) {
      const byte = random(256)
      bytes.set(encodeHello(HELLO))
      bytes[random(SIZES_BYTES)] = byte
    }
    const hello = decodeHello(bytes.subarray(0, random(4) === 0 ? random(56) : 56))
    if (typeof hello === 'string') {
      refused++
      expect(hello.length).toBeGreaterThan(3)
    } else {
      taken++
      new ProtocolEnd(HELLO, hello, { least: 4, most: 12 }).finish()
    }
  }
  expect(taken).toBeGreaterThan(FRAMES / 20)
  expect(refused).toBeGreaterThan(FRAMES / 20)
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(64 * 2 ** 20)
})

it('a million frames of any bytes are taken, or refused with a reason, and nothing grows', () => {
  const bytes = new Uint8Array(16)
  const make = () => new ProtocolEnd(HELLO, HELLO, { least: 4, most: 12 })
  let end = make()
  let taken = 0
  let refused = 0
  let heapBefore = 0
  for (let i = 0; i < FRAMES; i++) {
    if (i === FRAMES / 10) heapBefore = process.memoryUsage().heapUsed
    for (let at = 0; at < bytes.length; at++) bytes[at] = random(256)
    // Most of them get past the first checks.
    if (random(8) > 0) bytes.set([1 + random(7), 0, 0, 0, 0, 0, 0, 8 + random(12)])
    const byteLength = random(17)
    const problem =
      checkFrame(bytes, 0, byteLength) ??
      end.onFrame(bytes[0] as FrameKindNumber, readPosted(bytes, 0), readArgument(bytes, 0))
    if (problem === undefined) taken++
    else {
      refused++
      expect(problem.length).toBeGreaterThan(3)
      end.fail()
    }
    for (let kind = end.dueControl; kind !== 0; kind = end.dueControl) {
      end.onSend(kind)
      end.receives.announce()
    }
    if (end.life === 'failed') end = make()
  }
  expect(taken).toBeGreaterThan(FRAMES / 20)
  expect(refused).toBeGreaterThan(FRAMES / 20)
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(64 * 2 ** 20)
})
