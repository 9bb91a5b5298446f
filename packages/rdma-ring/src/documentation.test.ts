/** The documentation's tables and examples say what the code does. */
import { readFileSync } from 'node:fs'
import { documentedDefaults, example, table } from '@netts/rdma-suite/documentation'
import {
  FrameKind,
  frameName,
  LEAST_POSTED,
  MOST_POSTED,
  RESERVE,
  writeFrameHeader,
} from '@netts/verbs/endpoint'
import { describe, expect, it } from 'vitest'
import { checkOptions } from './options.js'
import { checkControl, checkData, HEADER_BYTES, writeArgument, writeReleased } from './protocol/frame.js'
import { encodeHello, encodeReady, LEAST_CAPACITY, MOST_CAPACITY } from './protocol/hello.js'
import { dueFor, ringReceives, windowFor } from './protocol/ring-end.js'

const page = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const protocol = page('../docs/PROTOCOL.md')

function header(kind: number, posted: number, released: number, argument: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  writeFrameHeader(bytes, 0, kind, posted)
  writeReleased(bytes, 0, released)
  writeArgument(bytes, 0, argument)
  return bytes
}

describe('the page on the protocol', () => {
  it('has every kind of frame, with its number, its place, and its place on the ladder', () => {
    const leaves: Readonly<Record<number, number>> = {
      [FrameKind.data]: RESERVE.data,
      [FrameKind.credit]: RESERVE.credit,
      [FrameKind.fin]: RESERVE.fin,
      [FrameKind.done]: RESERVE.last,
      [FrameKind.reset]: RESERVE.last,
    }
    const rows = table(protocol, 'kind', 'name', 'where', 'leaves')
    expect(rows.map(([kind, name, , left]) => [Number(kind), name, Number(left)])).toEqual(
      Object.values(FrameKind).map((kind) => [kind, frameName(kind), leaves[kind]]),
    )
    for (const [kind, , where] of rows) {
      const isInRing = checkData(header(Number(kind), 0, 0, 1), 0, HEADER_BYTES + 1) === undefined
      const isSend = checkControl(header(Number(kind), 0, 0, 0), 0, HEADER_BYTES) === undefined
      expect([isInRing, isSend]).toEqual(where === 'in the ring' ? [true, false] : [false, true])
    }
  })

  it('has the header of a frame, and an example of it', () => {
    const rows = table(protocol, 'offset', 'size', 'field')
    expect(rows.map(([offset, size]) => [offset, size])).toEqual([
      ['0', '8'],
      ['8', '4'],
      ['0', '1'],
      ['1', '3'],
      ['4', '4'],
      ['8', '4'],
      ['12', '4'],
    ])
    expect([...header(2, 0x01020304, 0x05060708, 0x090a0b0c)]).toEqual([
      2, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ])
    expect(example(protocol, 'begins a frame of 5 bytes, from an end that has posted 30 receives')).toEqual([
      ...header(FrameKind.data, 30, 4096, 5),
    ])
    expect([...encodeReady({ address: 0x0102030405060708n, key: 0x090a0b0c })]).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ])
  })

  it('has the hello, its limits, and the default options as its example', () => {
    const rows = table(protocol, 'offset', 'size', 'field', 'within')
    expect(
      rows.map(([offset, size, field, within]) => [offset, size, field!.match(/`(\w+)`/)![1], within]),
    ).toEqual([
      ['0', '4', 'capacity', `powers of two, ${LEAST_CAPACITY} to 2^${Math.log2(MOST_CAPACITY)}`],
      ['4', '4', 'posted', `${LEAST_POSTED} to \`maxPosted\``],
      ['8', '4', 'maxPosted', `up to 2^${Math.log2(MOST_POSTED)}`],
      ['12', '4', 'features', ''],
    ])
    const { capacity } = checkOptions()
    const posted = ringReceives(windowFor(capacity))
    const words = `is what the default options say: a ring of ${capacity} bytes, ${posted} receives posted, and never more\\.`
    expect(example(protocol, words)).toEqual([
      ...encodeHello({ capacity, posted, maxPosted: posted, features: 0 }),
    ])
  })

  it('has the number of receives for a ring', () => {
    expect(protocol).toContain('_w_ + 3 + _d_ − 1, with _d_ = max(2, ⌊_w_/2⌋)')
    expect(protocol).toContain('capacity / 1024, but at least 16 and at most 4096 (_w_)')
    for (const [capacity, window] of [
      [4096, 16],
      [8192, 16],
      [65_536, 64],
      [262_144, 256],
      [2 ** 26, 4096],
    ] as const) {
      expect(windowFor(capacity)).toBe(window)
      expect(dueFor(window)).toBe(window / 2)
      expect(ringReceives(window)).toBe(window + 3 + window / 2 - 1)
    }
  })
})

it('the README lists every option, with its default', () => {
  const defaults = Object.entries(checkOptions()).map(([name, value]) => [name, String(value)])
  expect(documentedDefaults(page('../README.md'))).toEqual(Object.fromEntries(defaults))
})
