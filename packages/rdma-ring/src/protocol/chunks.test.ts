import { describe, expect, it } from 'vitest'
import { Chunks } from './chunks.js'
import { HEADER_BYTES } from './frame.js'

function filled(count: number): Chunks {
  const chunks = new Chunks()
  for (let i = 0; i < count; i++) chunks.queue(100 * i, 10 + i, 100 * (i + 1))
  return chunks
}

describe('chunks', () => {
  it('are handed out in order, and free room as far as nothing before them is held', () => {
    const chunks = filled(3)
    expect([chunks.handOut(), chunks.handOut(), chunks.handOut()]).toEqual([0, 1, 2])
    expect(chunks.queued).toBe(0)
    expect(chunks.outBytes).toBe(3 * HEADER_BYTES + 33)
    chunks.release(1)
    expect(chunks.releasedTo).toBe(0)
    chunks.release(0)
    expect(chunks.releasedTo).toBe(200)
    chunks.release(2)
    expect(chunks.releasedTo).toBe(300)
    expect(chunks.outBytes).toBe(0)
  })

  it('are out between being handed out and released, and no other index is', () => {
    const chunks = filled(2)
    expect(chunks.isOut(0)).toBe(false)
    chunks.handOut()
    expect([-1, 0, 1, 2, 0.5, Number.NaN, 16].map((index) => chunks.isOut(index))).toEqual([
      false,
      true,
      false,
      false,
      false,
      false,
      false,
    ])
    chunks.release(0)
    expect(chunks.isOut(0)).toBe(false)
  })

  it('are not out any more when another one has taken their place in the table', () => {
    const chunks = filled(16)
    for (let i = 0; i < 16; i++) chunks.release(chunks.handOut())
    chunks.queue(1600, 26, 1700)
    expect(chunks.handOut()).toBe(16)
    expect([0, 16].map((index) => chunks.isOut(index))).toEqual([false, true])
  })

  it('keep what they are when there are more than ever before', () => {
    const chunks = filled(3)
    chunks.handOut()
    chunks.release(chunks.handOut())
    for (let i = 3; i < 100; i++) chunks.queue(100 * i, 10 + i, 100 * (i + 1))
    expect(chunks.isOut(0)).toBe(true)
    expect(chunks.isOut(1)).toBe(false)
    while (chunks.queued > 0) chunks.handOut()
    for (let i = 2; i < 100; i++) {
      expect([chunks.offset(i), chunks.byteLength(i)]).toEqual([100 * i, 10 + i])
      chunks.release(i)
    }
    expect(chunks.releasedTo).toBe(0)
    chunks.release(0)
    expect(chunks.releasedTo).toBe(10_000)
  })
})
