import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkFrame,
  controlBytes,
  FrameKind,
  type FrameKindNumber,
  frameName,
  HEADER_BYTES,
  hasArgument,
  readArgument,
  readPosted,
  writeArgument,
  writeHeader,
} from './frame.js'

const kinds = Object.values(FrameKind)
const kind = fc.constantFrom<FrameKindNumber>(...kinds)
const uint32 = fc.nat(0xffff_ffff)

describe('frames', () => {
  it('read as they were written, wherever they lie', () => {
    fc.assert(
      fc.property(kind, uint32, uint32, fc.nat(40), (kind, posted, argument, offset) => {
        const bytes = new Uint8Array(offset + 24).fill(0xaa)
        writeHeader(bytes, offset, kind, posted)
        if (hasArgument(kind)) writeArgument(bytes, offset, argument)
        const byteLength = kind === FrameKind.data ? 20 : controlBytes(kind)
        expect(checkFrame(bytes, offset, byteLength)).toBeUndefined()
        expect(bytes[offset]).toBe(kind)
        expect(readPosted(bytes, offset)).toBe(posted)
        if (hasArgument(kind)) expect(readArgument(bytes, offset)).toBe(argument)
        expect(bytes.subarray(0, offset).every((byte) => byte === 0xaa)).toBe(true)
        expect(bytes.subarray(offset + byteLength).every((byte) => byte === 0xaa)).toBe(true)
      }),
    )
  })

  it('have the bytes that the documentation shows', () => {
    const bytes = new Uint8Array(12)
    writeHeader(bytes, 0, FrameKind.reset, 0x01020304)
    writeArgument(bytes, 0, 2)
    expect([...bytes]).toEqual([5, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 2])
  })

  it('of any bytes are either well-formed or refused with a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const problem = checkFrame(bytes, 0, bytes.byteLength)
        if (problem !== undefined) return void expect(problem).toMatch(/\w/)
        expect(kinds).toContain(bytes[0])
        expect(bytes.byteLength).toBeGreaterThanOrEqual(HEADER_BYTES)
        if (bytes[0] !== FrameKind.data)
          expect(bytes.byteLength).toBe(controlBytes(bytes[0] as FrameKindNumber))
      }),
      { numRuns: 5000 },
    )
  })

  it('are refused when short, long, unknown, empty of data, or not zero where they must be', () => {
    const frame = (bytes: number[]) => checkFrame(Uint8Array.from(bytes), 0, bytes.length)
    expect(frame([2, 0, 0, 0, 0, 0, 0])).toMatch(/too short/)
    expect(frame([2, 0, 0, 0, 0, 0, 0, 1, 1])).toMatch(/CREDIT of 9 bytes/)
    expect(frame([5, 0, 0, 0, 0, 0, 0, 1])).toMatch(/RESET of 8 bytes/)
    expect(frame([0, 0, 0, 0, 0, 0, 0, 1])).toMatch(/unknown frame kind, 0/)
    expect(frame([8, 0, 0, 0, 0, 0, 0, 1])).toMatch(/unknown frame kind, 8/)
    expect(frame([1, 0, 0, 0, 0, 0, 0, 1])).toMatch(/DATA without data/)
    expect(frame([3, 0, 1, 0, 0, 0, 0, 1])).toMatch(/FIN with reserved bytes/)
  })

  it('have a name each', () => {
    expect(kinds.map(frameName)).toEqual(Object.keys(FrameKind).map((name) => name.toUpperCase()))
  })
})
