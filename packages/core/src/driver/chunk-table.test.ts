/** Numbering of received chunks. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkTable } from './chunk-table.js'

describe('ChunkTable', () => {
  it('refuses an index that was never handed out, or is not any more', () => {
    const table = new ChunkTable<string>()
    const chunkIndex = table.add('chunk')
    expect(table.get(chunkIndex)).toBe('chunk')
    expect(table.remove(chunkIndex)).toBe('chunk')
    for (const index of [chunkIndex, 7, -1, 0.5, Number.NaN]) {
      expect(() => table.get(index)).toThrow(expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }))
      expect(() => table.remove(index)).toThrow(
        expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }),
      )
    }
    expect(table.size).toBe(0)
  })

  it('keeps every chunk under its own index, whatever the order of release', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(), { nil: undefined }), { maxLength: 200 }), (operations) => {
        const table = new ChunkTable<number>()
        const held = new Map<number, number>()
        let most = 0
        for (const [chunk, remove] of operations.entries()) {
          if (remove === undefined) {
            const chunkIndex = table.add(chunk)
            expect(held.has(chunkIndex)).toBe(false)
            held.set(chunkIndex, chunk)
          } else if (held.size > 0) {
            const [chunkIndex, expected] = [...held][remove % held.size]!
            held.delete(chunkIndex)
            expect(table.remove(chunkIndex)).toBe(expected)
          }
          most = Math.max(most, held.size)
          expect(table.size).toBe(held.size)
          for (const [chunkIndex, expected] of held) {
            expect(table.get(chunkIndex)).toBe(expected)
            expect(chunkIndex).toBeLessThan(most)
          }
        }
      }),
    )
  })
})
