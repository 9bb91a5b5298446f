/** What drivers do with pooled buffers, also of another copy of this package. */
import { describe, expect, it, vi } from 'vitest'
import { HOST_MEMORY, type PooledBuffer } from './buffer-pool.js'
import { checkSendRange, giveAway, headroomOf, isPooledBuffer, setHeadroom, takeSlot } from './buffer-slot.js'
import { createBufferPool } from './create-buffer-pool.js'

const refused = (code: string) => expect.objectContaining({ code })

describe('checkSendRange', () => {
  const pool = createBufferPool()

  it('defaults to the rest of the buffer', () => {
    const buffer = pool.alloc(100)
    expect(checkSendRange(buffer, HOST_MEMORY, 1000, 0, undefined)).toBe(100)
    expect(checkSendRange(buffer, HOST_MEMORY, 1000, 40, undefined)).toBe(60)
    expect(checkSendRange(buffer, HOST_MEMORY, 1000, 40, 10)).toBe(10)
  })

  it.each([
    [-1, 1],
    [0, 0],
    [0, 101],
    [100, undefined],
    [50, 51],
    [0.5, 1],
    [0, 1.5],
    [Number.NaN, 1],
    [0, 11],
  ])('refuses the range %s, %s', (byteOffset, byteLength) => {
    const buffer = pool.alloc(100)
    expect(() => checkSendRange(buffer, HOST_MEMORY, 10, byteOffset, byteLength)).toThrow(
      refused('ERR_NETTS_INVALID_ARGUMENT'),
    )
  })

  it('refuses what is no pooled buffer, not of this memory, or released', () => {
    for (const other of [undefined, null, 1, {}, new Uint8Array(10)]) {
      expect(() => checkSendRange(other as never, HOST_MEMORY, 10, 0, 1)).toThrow(
        refused('ERR_NETTS_INVALID_ARGUMENT'),
      )
    }
    const buffer = pool.alloc(10)
    expect(() => checkSendRange(buffer, Symbol('device'), 10, 0, 1)).toThrow(
      refused('ERR_NETTS_FOREIGN_BUFFER'),
    )
    buffer.release()
    expect(() => checkSendRange(buffer, HOST_MEMORY, 10, 0, 1)).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
  })
})

describe('takeSlot', () => {
  it('hands over the memory, which is freed once', () => {
    const slabs: Uint8Array[] = []
    const pool = createBufferPool({
      classes: [{ byteLength: 1000, count: 20 }],
      slabByteLength: 4096,
      allocateSlab: (byteLength) => {
        // A slab may lie anywhere in its ArrayBuffer.
        const slab = new Uint8Array(new ArrayBuffer(byteLength + 64), 64, byteLength)
        slabs.push(slab)
        return slab
      },
    })
    const buffers = Array.from({ length: 20 }, () => pool.alloc(1000))
    for (const [index, buffer] of buffers.entries()) {
      buffer.bytes.fill(index + 1)
      const slot = takeSlot(buffer)
      expect(slot.slab).toBe(slabs[slot.slabIndex])
      expect(
        slot.slab.subarray(slot.byteOffset, slot.byteOffset + 1000).every((byte) => byte === index + 1),
      ).toBe(true)
      expect(() => buffer.release()).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
      expect(() => takeSlot(buffer)).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
      slot.free()
      expect(() => slot.free()).toThrow(refused('ERR_NETTS_INVALID_ARGUMENT'))
    }
    expect(pool.stats.outstanding).toBe(0)
  })
})

describe('giveAway', () => {
  it('leaves the memory to a new holder', () => {
    const pool = createBufferPool({ detectLeaks: true })
    const buffer = pool.alloc(10)
    const { bytes } = buffer
    setHeadroom(buffer, 4)
    const taken = giveAway(buffer)
    expect(() => buffer.bytes).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
    expect(() => giveAway(buffer)).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
    expect([headroomOf(taken), taken.byteLength]).toEqual([4, 6])
    expect(taken.bytes.buffer).toBe(bytes.buffer)
    expect(pool.outstandingBuffers().length).toBe(1)
    taken.release()
    expect(pool.outstandingBuffers()).toEqual([])
  })

  it('leaves a buffer of another make as it is', () => {
    const buffer = {} as PooledBuffer
    expect(giveAway(buffer)).toBe(buffer)
  })
})

describe('headroom', () => {
  it('hides and shows the first bytes', () => {
    const buffer = createBufferPool().alloc(10)
    buffer.bytes.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(setHeadroom(buffer, 4)).toBe(true)
    expect([...buffer.bytes]).toEqual([5, 6, 7, 8, 9, 10])
    expect(buffer.byteLength).toBe(6)
    expect(headroomOf(buffer)).toBe(4)
    // A driver would send from the wrong place.
    expect(() => takeSlot(buffer)).toThrow(refused('ERR_NETTS_INVALID_ARGUMENT'))
    setHeadroom(buffer, 0)
    expect([...buffer.bytes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    buffer.release()
    expect(headroomOf(buffer)).toBeLessThan(0)
  })
})

describe('two copies of this package in one process', () => {
  it('understand each other', async () => {
    vi.resetModules()
    const other = await import('../index.js')
    expect(other.createBufferPool).not.toBe(createBufferPool)
    const pool = other.createBufferPool({ classes: [{ byteLength: 64, count: 1 }] })
    const buffer = pool.alloc(64)
    expect(isPooledBuffer(buffer)).toBe(true)
    expect(checkSendRange(buffer, HOST_MEMORY, 64, 0, undefined)).toBe(64)
    expect(setHeadroom(buffer, 4)).toBe(true)
    expect(headroomOf(buffer)).toBe(4)
    setHeadroom(buffer, 0)
    takeSlot(buffer).free()
    expect(pool.stats.outstanding).toBe(0)
  })
})
