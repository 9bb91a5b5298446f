/** The wire format. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HEADER_BYTES, MAX_PAYLOAD_BYTES, readHeader, writeHeader } from './framing.js'

describe('framing', () => {
  it('is 4 bytes, big-endian, as every length-delimited codec has it', () => {
    const bytes = Buffer.alloc(6)
    writeHeader(bytes, 1, 0x01020304)
    expect([...bytes]).toEqual([0, 1, 2, 3, 4, 0])
    expect(HEADER_BYTES).toBe(4)
  })

  it('reads what it wrote, at any place', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_PAYLOAD_BYTES }), fc.nat(10), (byteLength, byteOffset) => {
        const bytes = Buffer.alloc(20, 0xff)
        writeHeader(bytes, byteOffset, byteLength)
        expect(readHeader(bytes, byteOffset)).toBe(byteLength)
        expect(bytes.readUInt32BE(byteOffset)).toBe(byteLength)
        expect(bytes.filter((byte) => byte !== 0xff).byteLength).toBeLessThanOrEqual(4)
      }),
    )
  })
})
