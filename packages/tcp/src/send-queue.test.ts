import type { BufferSlot } from '@netts/core/driver'
import { describe, expect, it } from 'vitest'
import { pattern } from '../test/support.js'
import { BLOCK_BYTES, SMALL_BLOCK_BYTES } from './blocks.js'
import { SendQueue } from './send-queue.js'

const UNLIMITED = Number.POSITIVE_INFINITY

function slotOf(bytes: Uint8Array): BufferSlot & { freed: number } {
  const slot = { slab: bytes, slabIndex: 0, byteOffset: 0, freed: 0, free: () => slot.freed++ }
  return slot as unknown as BufferSlot & { freed: number }
}

/** The next batch, all of it. */
function batchOf(queue: SendQueue): Buffer[] {
  return Array.from({ length: queue.nextBatch() }, (_, i) => queue.piece(i))
}

describe('the queue of accepted sends', () => {
  it('packs small copies into one piece of memory', () => {
    const queue = new SendQueue(8)
    expect(queue.copy([Buffer.from('ab')], UNLIMITED)).toBe(2)
    expect(queue.copy([Buffer.from('c'), Buffer.from(''), Buffer.from('de')], UNLIMITED)).toBe(3)
    expect(batchOf(queue).map(String)).toEqual(['abcde'])
    expect(queue.sends).toBe(2)
    expect(queue.completeBatch()).toBe(2)
    expect(queue.sends).toBe(0)
  })

  it('frees everything of a batch of which memory went away, and says so', () => {
    const queue = new SendQueue(8)
    const lent = slotOf(new Uint8Array(100))
    const other = slotOf(new Uint8Array(10))
    queue.add(other, 0, 10)
    queue.add(lent, 0, 100)
    queue.add(slotOf(new Uint8Array(5)), 0, 5)
    expect(batchOf(queue).length).toBe(3)
    structuredClone(lent.slab, { transfer: [lent.slab.buffer as ArrayBuffer] })
    expect(() => queue.completeBatch()).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_BUFFER_DETACHED' }),
    )
    expect([lent.freed, other.freed]).toEqual([1, 1])
    expect(queue.sends).toBe(0)
    const next = slotOf(new Uint8Array(100))
    queue.add(next, 0, 100)
    structuredClone(next.slab, { transfer: [next.slab.buffer as ArrayBuffer] })
    queue.nextBatch()
    expect(() => queue.piece(0)).toThrow(expect.objectContaining({ code: 'ERR_NETTS_BUFFER_DETACHED' }))
    queue.clear()
    expect(next.freed).toBe(1)
  })

  it('keeps copies and pooled buffers in order', () => {
    const queue = new SendQueue(8)
    const slot = slotOf(Buffer.from('0123456789'))
    queue.copy([Buffer.from('a')], UNLIMITED)
    queue.add(slot, 2, 3)
    queue.copy([Buffer.from('b')], UNLIMITED)
    expect(batchOf(queue).map(String)).toEqual(['a', '234', 'b'])
    expect(slot.freed).toBe(0)
    expect(queue.completeBatch()).toBe(3)
    expect(slot.freed).toBe(1)
  })

  it('does not touch what is being written when more is accepted', () => {
    const queue = new SendQueue(8)
    queue.copy([Buffer.from('first')], UNLIMITED)
    const [first] = batchOf(queue)
    queue.copy([Buffer.from('second')], UNLIMITED)
    expect(String(first)).toBe('first')
    expect(queue.completeBatch()).toBe(1)
    expect(batchOf(queue).map(String)).toEqual(['second'])
  })

  it('takes what fits, refuses beyond its bytes, and takes more once they are written', () => {
    const queue = new SendQueue(2)
    const data = pattern(3 * BLOCK_BYTES)
    expect(queue.copy([data], UNLIMITED)).toBe(2 * BLOCK_BYTES)
    expect(queue.copy([data], UNLIMITED)).toBe(0)
    expect(Buffer.concat(batchOf(queue)).equals(data.subarray(0, 2 * BLOCK_BYTES))).toBe(true)
    expect(queue.completeBatch()).toBe(1)
    expect(queue.copy([data.subarray(2 * BLOCK_BYTES)], UNLIMITED)).toBe(BLOCK_BYTES)
    expect(Buffer.concat(batchOf(queue)).equals(data.subarray(2 * BLOCK_BYTES))).toBe(true)
  })

  it('counts a send that spans several blocks as one, complete with its last byte', () => {
    const queue = new SendQueue(8)
    expect(queue.copy([pattern(BLOCK_BYTES), pattern(BLOCK_BYTES, 1)], UNLIMITED)).toBe(2 * BLOCK_BYTES)
    expect(queue.sends).toBe(1)
    expect(queue.nextBatch()).toBe(2)
    expect(queue.completeBatch()).toBe(1)
  })

  it('counts a block of copies and a pooled buffer alike towards its depth', () => {
    const queue = new SendQueue(2)
    queue.add(slotOf(Buffer.from('a')), 0, 1)
    expect(queue.hasRoom).toBe(true)
    expect(queue.copy([Buffer.from('b')], UNLIMITED)).toBe(1)
    expect(queue.hasRoom).toBe(false)
    // The block has room for more copies, and then is used up.
    expect(queue.copy([pattern(BLOCK_BYTES)], UNLIMITED)).toBe(BLOCK_BYTES - 1)
    expect(queue.copy([Buffer.from('c')], UNLIMITED)).toBe(0)
    queue.nextBatch()
    expect(queue.completeBatch()).toBe(3)
    expect(queue.hasRoom).toBe(true)
  })

  it('takes a small block for a short send by itself, and large ones while others are on their way', () => {
    const queue = new SendQueue(2)
    expect(queue.copy([], UNLIMITED)).toBe(0)
    queue.copy([Buffer.from('head'), pattern(100)], UNLIMITED)
    queue.nextBatch()
    expect(queue.piece(0).buffer.byteLength).toBe(SMALL_BLOCK_BYTES)
    queue.completeBatch()
    queue.copy([pattern(SMALL_BLOCK_BYTES)], UNLIMITED)
    queue.nextBatch()
    expect(queue.piece(0).buffer.byteLength).toBe(BLOCK_BYTES)
    // What is under way fills its block up first.
    expect(queue.copy([pattern(2 * BLOCK_BYTES)], UNLIMITED)).toBe(2 * BLOCK_BYTES - SMALL_BLOCK_BYTES)
    queue.completeBatch()
    queue.nextBatch()
    expect(queue.completeBatch()).toBe(1)
    expect(queue.copy([pattern(4 * BLOCK_BYTES)], UNLIMITED)).toBe(2 * BLOCK_BYTES)
  })

  it('has its whole depth again after every batch, whatever was in it', () => {
    const queue = new SendQueue(3)
    for (let round = 0; round < 5; round++) {
      queue.copy([pattern(100)], UNLIMITED)
      queue.nextBatch()
      queue.copy([pattern(BLOCK_BYTES)], UNLIMITED)
      queue.completeBatch()
      queue.nextBatch()
      queue.completeBatch()
      expect(queue.copy([pattern(4 * BLOCK_BYTES)], UNLIMITED)).toBe(3 * BLOCK_BYTES)
      queue.nextBatch()
      queue.completeBatch()
    }
  })

  it('cuts a gathered send at the limit, across slices', () => {
    const queue = new SendQueue(8)
    expect(queue.copy([Buffer.from('abc'), Buffer.from('def'), Buffer.from('ghi')], 5)).toBe(5)
    expect(batchOf(queue).map(String)).toEqual(['abcde'])
  })

  it('frees everything when it is cleared, written or not', () => {
    const queue = new SendQueue(3)
    const slots = [slotOf(Buffer.from('a')), slotOf(Buffer.from('b'))]
    queue.add(slots[0]!, 0, 1)
    queue.nextBatch()
    queue.add(slots[1]!, 0, 1)
    queue.copy([pattern(BLOCK_BYTES)], UNLIMITED)
    queue.clear()
    expect(slots.map((slot) => slot.freed)).toEqual([1, 1])
    expect(queue.sends).toBe(0)
    expect(queue.copy([pattern(4 * BLOCK_BYTES)], UNLIMITED)).toBe(3 * BLOCK_BYTES)
  })

  it('sends any sequence of copies and buffers byte for byte, with batches taken at any time', () => {
    const queue = new SendQueue(16)
    const random = pattern(4096, 7)
    const expected: Uint8Array[] = []
    const written: Buffer[] = []
    let accepted = 0
    let completed = 0
    for (let i = 0; i + 3 < random.length; i += 4) {
      const data = pattern(1 + random[i]! * random[i + 1]!, i)
      if (random[i + 2]! % 4 === 0 && queue.hasRoom) {
        queue.add(slotOf(data), 0, data.byteLength)
        expected.push(data)
        accepted++
      } else {
        const taken = queue.copy([data], UNLIMITED)
        expected.push(data.subarray(0, taken))
        if (taken > 0) accepted++
      }
      if (random[i + 3]! % 5 === 0) {
        for (const bytes of batchOf(queue)) written.push(Buffer.from(bytes))
        completed += queue.completeBatch()
      }
    }
    for (const bytes of batchOf(queue)) written.push(Buffer.from(bytes))
    completed += queue.completeBatch()
    expect(Buffer.concat(written).equals(Buffer.concat(expected))).toBe(true)
    expect(completed).toBe(accepted)
    expect(accepted).toBeGreaterThan(500)
  })
})
