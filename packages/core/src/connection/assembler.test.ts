/** Putting messages together, in memory that follows the bytes. */
import { describe, expect, it } from 'vitest'
import { expectBytes, pattern } from '../test-support/connection-pair.js'
import { Assembler } from './assembler.js'

/** Feeds a message in pieces, and says the most memory that was held for each byte that had arrived. */
function feed(assembler: Assembler, message: Uint8Array, pieceBytes: number): number {
  assembler.begin(message.byteLength)
  let most = 0
  for (let position = 0; position < message.byteLength; ) {
    position = assembler.add(message, position, Math.min(message.byteLength, position + pieceBytes))
    most = Math.max(most, assembler.heldBytes / Math.max(2048, assembler.arrivedBytes))
  }
  return most
}

describe('Assembler', () => {
  it('holds at most twice what has arrived', () => {
    for (const pieceBytes of [1, 100, 5000]) {
      const assembler = new Assembler()
      expect(feed(assembler, pattern(50_000), pieceBytes)).toBeLessThanOrEqual(2)
      expectBytes(assembler.finish().subarray(0, 50_000), pattern(50_000))
    }
  })

  it('allocates nothing for an announcement', () => {
    const assembler = new Assembler()
    assembler.begin(2 ** 32 - 1)
    expect(assembler.heldBytes).toBe(0)
    assembler.add(Uint8Array.of(1), 0, 1)
    expect(assembler.heldBytes).toBe(4096)
  })

  it('takes exactly a message’s length once as much has come before', () => {
    const assembler = new Assembler()
    feed(assembler, pattern(50_000), 1000)
    assembler.finish()
    assembler.begin(40_000)
    assembler.add(pattern(10), 0, 10)
    expect(assembler.heldBytes).toBe(40_000)
  })

  it('uses memory again that was given back', () => {
    const assembler = new Assembler()
    feed(assembler, pattern(50_000), 1000)
    const memory = assembler.finish()
    assembler.recycle(memory)
    feed(assembler, pattern(30_000), 1000)
    expect(assembler.finish()).toBe(memory)
  })

  it('keeps no more than 1 MiB of it', () => {
    const assembler = new Assembler()
    for (const byteLength of [1 << 20, (1 << 20) + 1]) {
      feed(assembler, pattern(byteLength), 1 << 18)
      assembler.recycle(assembler.finish())
      expect(assembler.heldBytes).toBeLessThanOrEqual(1 << 20)
    }
  })
})
