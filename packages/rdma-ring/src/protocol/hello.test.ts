import { LEAST_POSTED, MOST_POSTED, SIZES_BYTES } from '@netts/verbs/endpoint'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeHello,
  decodeReady,
  encodeHello,
  encodeReady,
  isCapacity,
  LEAST_CAPACITY,
  MOST_CAPACITY,
  READY_BYTES,
} from './hello.js'

const good = { capacity: 65_536, posted: 30, maxPosted: 386, features: 0 }

describe('the hello', () => {
  it('reads as it was written, whatever padding follows', () => {
    for (let capacity = LEAST_CAPACITY; capacity <= MOST_CAPACITY; capacity *= 2) {
      const padded = new Uint8Array(SIZES_BYTES + 32)
      padded.set(encodeHello({ ...good, capacity }))
      expect(decodeHello(padded)).toEqual({ ...good, capacity })
    }
  })

  it('with nonsense in it is refused with a reason', () => {
    const broken: [Partial<typeof good>, RegExp][] = [
      [{ capacity: 0 }, /ring of 0 bytes/],
      [{ capacity: LEAST_CAPACITY / 2 }, /ring of 2048 bytes/],
      [{ capacity: MOST_CAPACITY * 2 }, /ring of/],
      [{ capacity: 65_537 }, /not a power of two/],
      [{ posted: LEAST_POSTED - 1 }, /receives are not within/],
      [{ posted: 387 }, /387 receives are not within/],
      [{ maxPosted: MOST_POSTED + 1 }, /more than/],
    ]
    for (const [change, reason] of broken)
      expect(decodeHello(encodeHello({ ...good, ...change }))).toMatch(reason)
    expect(decodeHello(new Uint8Array(SIZES_BYTES - 1))).toMatch(/15 bytes, not 16/)
  })

  it('of any bytes is within its limits, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 56 }), (bytes) => {
        const hello = decodeHello(bytes)
        if (typeof hello === 'string') return void expect(hello).toMatch(/\w/)
        expect(isCapacity(hello.capacity)).toBe(true)
        expect(hello.posted).toBeLessThanOrEqual(hello.maxPosted)
      }),
    )
  })
})

describe('READY', () => {
  it('reads as it was written, and is refused when it is short', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(0xffff_ffff), (address, key) => {
        const bytes = encodeReady({ address, key })
        expect(bytes.byteLength).toBe(READY_BYTES)
        expect(decodeReady(bytes)).toEqual({ address, key })
        expect(decodeReady(bytes.subarray(1))).toMatch(/11 bytes/)
      }),
    )
  })
})
