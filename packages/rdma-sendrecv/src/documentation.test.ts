/** The documentation's tables and examples say what the code does. */
import { readFileSync } from 'node:fs'
import { documentedDefaults, example, table } from '@netts/rdma-suite/documentation'
import { dueAt, LEAST_POSTED, MOST_POSTED, RESERVE, receivesFor, SIZES_BYTES } from '@netts/verbs/endpoint'
import { describe, expect, it } from 'vitest'
import { checkOptions } from './options.js'
import {
  controlBytes,
  FrameKind,
  type FrameKindNumber,
  frameName,
  HEADER_BYTES,
  hasArgument,
  ResetReason,
  writeArgument,
  writeHeader,
} from './protocol/frame.js'
import { encodeHello, LEAST_BUFFER_SIZE, MOST_BUFFER_SIZE } from './protocol/hello.js'

const page = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const protocol = page('../docs/PROTOCOL.md')

/** What a frame of each kind must leave of the peer's receives. */
const LEAVES: Readonly<Record<FrameKindNumber, number>> = {
  [FrameKind.data]: RESERVE.data,
  [FrameKind.credit]: RESERVE.credit,
  [FrameKind.fin]: RESERVE.fin,
  [FrameKind.done]: RESERVE.last,
  [FrameKind.reset]: RESERVE.last,
  [FrameKind.reclaim]: RESERVE.data,
  [FrameKind.filler]: RESERVE.data,
}

describe('the page on the protocol', () => {
  it('has every kind of frame, with its number, its length and its place on the ladder', () => {
    const rows = table(protocol, 'kind', 'name', 'behind the header', 'leaves')
    expect(rows.map(([kind, name, , leaves]) => [Number(kind), name, Number(leaves)])).toEqual(
      Object.values(FrameKind).map((kind) => [kind, frameName(kind), LEAVES[kind]]),
    )
    for (const [kind, , behind] of rows) {
      const number = Number(kind) as FrameKindNumber
      if (number === FrameKind.data) expect(behind).toMatch(/^bytes of the stream, at least one$/)
      else expect(behind).toMatch(hasArgument(number) ? /^4 bytes/ : /^nothing$/)
      expect(controlBytes(number)).toBe(HEADER_BYTES + (hasArgument(number) ? 4 : 0))
    }
  })

  it('has the reasons of RESET', () => {
    const reasons = table(protocol, 'kind', 'name', 'behind the header', 'leaves')[FrameKind.reset - 1]![2]
    expect(reasons).toContain(`${ResetReason.destroyed} destroyed by the program`)
    expect(reasons).toContain(`${ResetReason.protocol} the receiver broke the protocol`)
    expect(reasons).toContain(`${ResetReason.timeout} a deadline passed`)
  })

  it('has the header of a frame', () => {
    const rows = table(protocol, 'offset', 'size', 'field')
    expect(rows.map(([offset, size]) => [offset, size])).toEqual([
      ['0', '1'],
      ['1', '3'],
      ['4', '4'],
      [String(HEADER_BYTES), ''],
    ])
    const frame = new Uint8Array(HEADER_BYTES)
    writeHeader(frame, 0, FrameKind.filler, 0xa1b2c3d4)
    expect([...frame]).toEqual([FrameKind.filler, 0, 0, 0, 0xa1, 0xb2, 0xc3, 0xd4])
  })

  it('has an example of a frame that is what the code sends', () => {
    const frame = new Uint8Array(controlBytes(FrameKind.reset))
    writeHeader(frame, 0, FrameKind.reset, 16909060)
    writeArgument(frame, 0, ResetReason.timeout)
    expect(
      example(protocol, 'is a RESET with reason 2, from an end that has posted 16909060 receives'),
    ).toEqual([...frame])
  })

  it('has the hello, its limits, and the default options as its example', () => {
    const rows = table(protocol, 'offset', 'size', 'field', 'within')
    const fields = rows.map(([offset, size, field, within]) => [
      offset,
      size,
      field!.match(/`(\w+)`/)![1],
      within,
    ])
    expect(fields).toEqual([
      ['0', '4', 'bufferSize', `${LEAST_BUFFER_SIZE} to 2^${Math.log2(MOST_BUFFER_SIZE)}`],
      ['4', '4', 'posted', `${LEAST_POSTED} to \`maxPosted\``],
      ['8', '4', 'maxPosted', `up to 2^${Math.log2(MOST_POSTED)}`],
      ['12', '4', 'features', ''],
    ])
    expect(SIZES_BYTES).toBe(16)
    const { bufferSize, recvDepthInitial, recvDepth } = checkOptions()
    const [posted, maxPosted] = [receivesFor(recvDepthInitial), receivesFor(recvDepth)]
    const words = `is what the default options say: buffers of ${bufferSize} bytes, ${posted} receives posted, never more than ${maxPosted}\\.`
    expect(example(protocol, words)).toEqual([...encodeHello({ bufferSize, posted, maxPosted, features: 0 })])
  })

  it('has the number of receives for a window', () => {
    expect(protocol).toContain('_w_ + 3 + _d_ − 1, where _d_ = max(2, min(⌊_w_/2⌋, 16))')
    for (const window of [1, 2, 4, 5, 31, 32, 33, 128, 16_384]) {
      const due = Math.max(2, Math.min(Math.floor(window / 2), 16))
      expect(dueAt(window)).toBe(due)
      expect(receivesFor(window)).toBe(window + 3 + due - 1)
    }
  })
})

it('the README lists every option, with its default', () => {
  const defaults = Object.entries(checkOptions()).map(([name, value]) => [name, String(value)])
  expect(documentedDefaults(page('../README.md'))).toEqual(Object.fromEntries(defaults))
})
