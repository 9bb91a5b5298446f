import { FrameKind, frameName, ResetReason, readPosted, writeFrameHeader } from '@netts/verbs/endpoint'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkControl,
  checkData,
  HEADER_BYTES,
  readArgument,
  readReleased,
  writeArgument,
  writeReleased,
} from './frame.js'

const uint32 = fc.nat(0xffff_ffff)

function frame(kind: number, posted: number, released: number, argument: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  writeFrameHeader(bytes, 0, kind, posted)
  writeReleased(bytes, 0, released)
  writeArgument(bytes, 0, argument)
  return bytes
}

describe('frames', () => {
  it('read as they were written', () => {
    fc.assert(
      fc.property(uint32, uint32, fc.integer({ min: 1, max: 2 ** 26 }), (posted, released, byteLength) => {
        const bytes = frame(FrameKind.data, posted, released, byteLength)
        expect(checkData(bytes, 0, HEADER_BYTES + byteLength)).toBeUndefined()
        expect([readPosted(bytes, 0), readReleased(bytes, 0), readArgument(bytes, 0)]).toEqual([
          posted,
          released,
          byteLength,
        ])
      }),
    )
    for (const kind of [FrameKind.credit, FrameKind.fin, FrameKind.done]) {
      expect(checkControl(frame(kind, 1, 2, 0), 0, HEADER_BYTES)).toBeUndefined()
    }
    const reset = frame(FrameKind.reset, 1, 2, ResetReason.timeout)
    expect(checkControl(reset, 0, HEADER_BYTES)).toBeUndefined()
  })

  it('are refused in the wrong place, of the wrong length, or not zero where they must be', () => {
    expect(checkData(frame(FrameKind.credit, 1, 2, 5), 0, HEADER_BYTES + 5)).toBe('CREDIT in the ring')
    expect(checkData(frame(FrameKind.data, 1, 2, 5), 0, HEADER_BYTES + 6)).toMatch(/5 bytes .* says 6/)
    expect(checkControl(frame(FrameKind.data, 1, 2, 5), 0, HEADER_BYTES)).toBe('DATA outside of the ring')
    expect(checkControl(frame(6, 1, 2, 0), 0, HEADER_BYTES)).toMatch(/frame kind 6/)
    expect(checkControl(frame(FrameKind.fin, 1, 2, 0), 0, 12)).toMatch(/12 bytes, not 16/)
    expect(checkControl(frame(FrameKind.fin, 1, 2, 1), 0, HEADER_BYTES)).toBe('FIN with an argument')
    for (const at of [1, 2, 3]) {
      const bytes = frame(FrameKind.fin, 1, 2, 0)
      bytes[at] = 1
      expect(checkControl(bytes, 0, HEADER_BYTES)).toMatch(/reserved/)
      const data = frame(FrameKind.data, 1, 2, 5)
      data[at] = 1
      expect(checkData(data, 0, HEADER_BYTES + 5)).toMatch(/reserved/)
    }
  })

  it('of any bytes are well-formed or refused with a reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(40), (bytes, byteLength) => {
        for (const problem of [checkControl(bytes, 0, byteLength), checkData(bytes, 0, byteLength)]) {
          if (problem === undefined) expect(frameName(bytes[0]!)).not.toMatch(/frame kind/)
          else expect(problem).toMatch(/\w/)
        }
      }),
    )
  })
})
