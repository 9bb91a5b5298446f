import { LEAST_POSTED, MOST_POSTED, SIZES_BYTES } from '@netts/verbs/endpoint'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHello, encodeHello, LEAST_BUFFER_SIZE, MOST_BUFFER_SIZE } from './hello.js'

const good = { bufferSize: 16_384, posted: 8, maxPosted: 132, features: 0 }

describe('the hello', () => {
  it('reads as it was written, whatever padding follows', () => {
    const hello = fc
      .record({
        bufferSize: fc.integer({ min: LEAST_BUFFER_SIZE, max: MOST_BUFFER_SIZE }),
        maxPosted: fc.integer({ min: LEAST_POSTED, max: MOST_POSTED }),
        features: fc.nat(0xffff_ffff),
      })
      .chain((rest) =>
        fc.integer({ min: LEAST_POSTED, max: rest.maxPosted }).map((posted) => ({ ...rest, posted })),
      )
    fc.assert(
      fc.property(hello, fc.nat(200), (hello, padding) => {
        const padded = new Uint8Array(SIZES_BYTES + padding)
        padded.set(encodeHello(hello))
        expect(decodeHello(padded)).toEqual(hello)
      }),
    )
  })

  it('has the bytes that the documentation shows', () => {
    expect([...encodeHello(good)]).toEqual([0, 0, 0x40, 0, 0, 0, 0, 8, 0, 0, 0, 132, 0, 0, 0, 0])
  })

  it('with nonsense in it is refused with a reason', () => {
    const broken: [Partial<typeof good>, RegExp][] = [
      [{ bufferSize: LEAST_BUFFER_SIZE - 1 }, /buffers of 1031 bytes/],
      [{ bufferSize: MOST_BUFFER_SIZE + 1 }, /buffers of/],
      [{ posted: LEAST_POSTED - 1 }, /4 receives are not within/],
      [{ posted: 133 }, /133 receives are not within/],
      [{ maxPosted: MOST_POSTED + 1 }, /more than/],
    ]
    for (const [change, reason] of broken)
      expect(decodeHello(encodeHello({ ...good, ...change }))).toMatch(reason)
    expect(decodeHello(new Uint8Array(SIZES_BYTES - 1))).toMatch(/15 bytes, not 16/)
  })

  it('of any bytes is either within its limits or refused with a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 56 }), (bytes) => {
        const hello = decodeHello(bytes)
        if (typeof hello === 'string') return void expect(hello).toMatch(/\w/)
        expect(hello.posted).toBeGreaterThanOrEqual(LEAST_POSTED)
        expect(hello.posted).toBeLessThanOrEqual(hello.maxPosted)
        expect(hello.bufferSize).toBeGreaterThanOrEqual(LEAST_BUFFER_SIZE)
      }),
      { numRuns: 5000 },
    )
  })
})
