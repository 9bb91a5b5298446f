import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dueAt, ReceiveCredits, SendCredits } from './credits.js'

const uint32 = fc.nat(0xffff_ffff)

describe('what the peer lets this end send', () => {
  it('is the same wherever the counts stand, across the wrap at 2^32 too', () => {
    const steps = fc.array(fc.record({ send: fc.nat(6), post: fc.nat(6) }), { maxLength: 200 })
    fc.assert(
      fc.property(uint32, steps, (start, steps) => {
        const most = 16
        const credits = new SendCredits(start + most, most)
        credits.sent = start
        let posted = most
        let sent = 0
        for (const step of steps) {
          for (let i = 0; i < step.send && credits.allows(0); i++) {
            credits.onSent()
            sent++
          }
          posted = Math.min(posted + step.post, sent + most)
          expect(credits.onCount((start + posted) >>> 0)).toBe(true)
          expect(credits.available).toBe(posted - sent)
        }
      }),
    )
  })

  it('is not changed by a count that cannot be true', () => {
    fc.assert(
      fc.property(uint32, uint32, fc.nat(100), (start, count, sent) => {
        const most = 100
        const credits = new SendCredits(start + most, most)
        credits.sent = (start + sent) >>> 0
        const before = credits.available
        const growth = (count - (start + most)) >>> 0
        expect(credits.onCount(count)).toBe(before + growth <= most)
        expect(credits.available).toBe(before + growth <= most ? before + growth : before)
      }),
    )
  })

  it('refuses a count that shrinks, by one', () => {
    const credits = new SendCredits(10, 10)
    for (let i = 0; i < 5; i++) credits.onSent()
    expect(credits.onCount(12)).toBe(true)
    expect(credits.onCount(11)).toBe(false)
  })

  it('refuses a count that says more than the peer can have posted, by one', () => {
    const credits = new SendCredits(10, 10)
    credits.onSent()
    expect(credits.onCount(12)).toBe(false)
    expect(credits.onCount(11)).toBe(true)
  })
})

describe('what this end lets the peer send', () => {
  it('is due once half of the window is unannounced, at least two and at most sixteen', () => {
    for (const [window, due] of [
      [1, 2],
      [4, 2],
      [5, 2],
      [6, 3],
      [32, 16],
      [512, 16],
    ] as const) {
      const credits = new ReceiveCredits(0xffff_fff0)
      credits.onPosted(due - 1)
      expect(dueAt(window)).toBe(due)
      expect(credits.isDue(due)).toBe(false)
      credits.onPosted(1)
      expect(credits.isDue(due)).toBe(true)
      expect(credits.isDue(due + 3, 3)).toBe(true)
      expect(credits.announce()).toBe((0xffff_fff0 + due) >>> 0)
      expect(credits.unannounced).toBe(0)
    }
  })
})
