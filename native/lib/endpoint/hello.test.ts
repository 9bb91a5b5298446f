/** Hello, refusal and READY: round trips, padding, and any bytes a peer may send. */
import { isNettsError } from '@netts/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeHello,
  decodeReady,
  describeRefusal,
  encodeHello,
  encodeReady,
  encodeRefusal,
  HELLO_BODY_BYTES,
  HelloError,
  READY_BODY_BYTES,
  READY_BYTES,
  RefusalReason,
} from './hello.js'

const identity = { driver: 7, version: 3 }

function padded(bytes: Uint8Array, byteLength: number): Uint8Array {
  const whole = new Uint8Array(byteLength)
  whole.set(bytes)
  return whole
}

/** The reason why decoding refuses. */
function refusal(bytes: Uint8Array, as = identity): number | undefined {
  try {
    decodeHello(as, bytes)
    return undefined
  } catch (error) {
    if (error instanceof HelloError) return error.reason
    throw error
  }
}

describe('hello', () => {
  it('comes back as it went, padded or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: HELLO_BODY_BYTES }), (body) => {
        const hello = encodeHello(identity, body)
        expect(decodeHello(identity, hello)).toEqual(body)
        expect(decodeHello(identity, padded(hello, 196))).toEqual(body)
      }),
    )
  })

  it('fits into the smallest private data there is', () => {
    expect(encodeHello(identity, new Uint8Array(HELLO_BODY_BYTES)).byteLength).toBe(56)
    expect(() => encodeHello(identity, new Uint8Array(HELLO_BODY_BYTES + 1))).toThrow(RangeError)
  })

  it('tells other drivers, versions and programs apart', () => {
    const hello = encodeHello(identity, new Uint8Array(4))
    expect(refusal(hello, { driver: 8, version: 3 })).toBe(RefusalReason.driver)
    expect(refusal(hello, { driver: 7, version: 4 })).toBe(RefusalReason.version)
    expect(refusal(new Uint8Array(56))).toBe(RefusalReason.notNetts)
    expect(refusal(new Uint8Array(0))).toBe(RefusalReason.notNetts)
  })

  it('refuses a length that cannot be', () => {
    for (const byteLength of [0, 7, 200]) {
      const hello = padded(encodeHello(identity, new Uint8Array(4)), 56)
      hello[4] = byteLength
      expect(refusal(hello)).toBe(RefusalReason.invalid)
    }
  })

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 255 }), fc.boolean(), (bytes, magic) => {
        if (magic && bytes.length >= 7) bytes.set([0x4e, 0x54, 0x54, 0x53, bytes[4]!, 3, 7])
        const reason = refusal(bytes)
        if (reason === undefined) expect(bytes[4]).toBeLessThanOrEqual(bytes.byteLength)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a refusal', () => {
  it('says why, in words', () => {
    expect(describeRefusal(padded(encodeRefusal(RefusalReason.busy, ''), 148))).toContain('backlog')
    expect(describeRefusal(encodeRefusal(RefusalReason.invalid, 'no slots'))).toContain('no slots')
    expect(describeRefusal(new Uint8Array(148))).toContain('no reason')
    expect(describeRefusal(new Uint8Array(0))).toContain('no reason')
  })

  it('is cut to what fits, between characters', () => {
    const refused = encodeRefusal(RefusalReason.other, 'ü'.repeat(200))
    expect(refused.byteLength).toBeLessThanOrEqual(148)
    expect(describeRefusal(refused)).toContain('ü'.repeat(71))
    expect(describeRefusal(refused)).not.toContain('\ufffd')
  })

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 255 }), (bytes) => {
        bytes.set([0x4e, 0x54, 0x54, 0x52].slice(0, bytes.length))
        expect(typeof describeRefusal(bytes)).toBe('string')
      }),
    )
  })
})

describe('READY', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: READY_BODY_BYTES }), (body) => {
        const target = new Uint8Array(READY_BYTES)
        expect(decodeReady(target.subarray(0, encodeReady(target, body)))).toEqual(body)
      }),
    )
    expect(() => encodeReady(new Uint8Array(READY_BYTES), new Uint8Array(READY_BODY_BYTES + 1))).toThrow(
      RangeError,
    )
  })

  it('is a protocol error when it is anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: READY_BYTES }), (bytes) => {
        try {
          decodeReady(bytes)
          expect([...bytes.subarray(0, 4)]).toEqual([0x4e, 0x54, 0x54, 0x59])
        } catch (error) {
          expect(isNettsError(error) && error.code).toBe('ERR_NETTS_PROTOCOL')
        }
      }),
    )
  })
})
