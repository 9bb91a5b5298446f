import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceiveWindow } from './receive-window.js'

describe('the receive window', () => {
  it('doubles each time the peer has nearly used it up, as far as it may', () => {
    const window = new ReceiveWindow(4, 24)
    expect(window.onUsed(3)).toBe(false)
    expect(window.onUsed(1)).toBe(true)
    expect(window.size).toBe(8)
    expect(window.onUsed(2)).toBe(true)
    expect(window.onUsed(0)).toBe(true)
    expect(window.size).toBe(24)
    expect(window.onUsed(0)).toBe(false)
  })

  it('halves with each tick in which most of it was left alone, and not below where it began', () => {
    const window = new ReceiveWindow(4, 64)
    for (let i = 0; i < 4; i++) window.onUsed(0)
    expect(window.size).toBe(64)
    window.tick(64)
    expect(window.size).toBe(64) // It was busy in this one.
    const sizes = Array.from({ length: 6 }, () => {
      window.tick(64)
      return window.size
    })
    expect(sizes).toEqual([32, 16, 8, 4, 4, 4])
  })

  it('stays while the peer uses a fair part of it', () => {
    const window = new ReceiveWindow(4, 64)
    for (let i = 0; i < 4; i++) window.onUsed(0)
    window.tick(64)
    for (let i = 0; i < 10; i++) {
      window.onUsed(50)
      window.tick(64)
      expect(window.size).toBe(64)
    }
  })

  it('stays within its bounds whatever happens', () => {
    const event = fc.oneof(
      fc.record({ used: fc.integer({ min: -4, max: 600 }) }),
      fc.record({ tick: fc.integer({ min: -4, max: 600 }) }),
      fc.record({ limit: fc.nat(600) }),
    )
    const bounds = fc
      .integer({ min: 1, max: 32 })
      .chain((least) => fc.tuple(fc.constant(least), fc.integer({ min: least, max: 512 })))
    fc.assert(
      fc.property(bounds, fc.array(event, { maxLength: 100 }), ([least, most], events) => {
        const window = new ReceiveWindow(least, most)
        for (const event of events) {
          const before = window.size
          if ('used' in event) expect(window.onUsed(event.used)).toBe(window.size > before)
          else if ('tick' in event) window.tick(event.tick)
          else window.limit(event.limit)
          expect(window.size).toBeGreaterThanOrEqual(least)
          expect(window.size).toBeLessThanOrEqual(most)
        }
      }),
    )
  })

  it('of a fixed size never changes', () => {
    const window = new ReceiveWindow(7, 7)
    expect(window.onUsed(0)).toBe(false)
    window.tick(7)
    window.tick(7)
    expect(window.size).toBe(7)
  })
})
