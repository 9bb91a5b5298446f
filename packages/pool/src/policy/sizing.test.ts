/** How many connections are opened. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RefillRate } from './refill-rate.js'
import { connectionsNeeded, hasRoom, isPanic } from './sizing.js'

describe('connectionsNeeded', () => {
  it('is never more than callers wait, and with what is coming just enough', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.integer({ min: 1, max: 9 }), (waiting, coming, each) => {
        const needed = connectionsNeeded({ waiting, coming, callersPerConnection: each })
        expect(needed).toBeLessThanOrEqual(waiting)
        if (needed > 0) expect((needed + coming) * each).toBeGreaterThanOrEqual(waiting)
        if (needed > 0) expect((needed + coming - 1) * each).toBeLessThan(waiting)
        else expect(coming * each >= waiting || waiting === 0).toBe(true)
      }),
    )
  })

  it('is one for any number of callers that may share one', () => {
    expect(connectionsNeeded({ waiting: 9, coming: 0, callersPerConnection: Infinity })).toBe(1)
    expect(connectionsNeeded({ waiting: 9, coming: 1, callersPerConnection: Infinity })).toBe(0)
    expect(connectionsNeeded({ waiting: 0, coming: 0, callersPerConnection: Infinity })).toBe(0)
  })
})

describe('hasRoom', () => {
  it('keeps to max and to maxConnecting, and tries a failing endpoint one at a time', () => {
    const room = { open: 1, connecting: 1, max: 3, maxConnecting: 2, isFailing: false }
    expect(hasRoom(room)).toBe(true)
    expect(hasRoom({ ...room, open: 2 })).toBe(false)
    expect(hasRoom({ ...room, connecting: 2, max: 9 })).toBe(false)
    expect(hasRoom({ ...room, isFailing: true })).toBe(false)
    expect(hasRoom({ ...room, connecting: 0, isFailing: true })).toBe(true)
  })
})

describe('isPanic', () => {
  it('is for the only endpoint, and with more out than may be', () => {
    expect(isPanic(1, 1, 0.5)).toBe(true)
    expect(isPanic(3, 1, 0.5)).toBe(false)
    expect(isPanic(2, 1, 0.5)).toBe(false)
    expect(isPanic(3, 2, 0.5)).toBe(true)
    expect(isPanic(3, 1, 0)).toBe(true)
    expect(isPanic(1, 1, 1)).toBe(true)
  })
})

describe('RefillRate', () => {
  it('gives a burst, and then so many in a second', () => {
    const rate = new RefillRate(10, 3)
    const taken = (nowMs: number) => {
      let count = 0
      while (count < 100 && rate.take(nowMs)) count++
      return count
    }
    expect(taken(0)).toBe(3)
    expect(rate.waitMs).toBe(100)
    expect(taken(99)).toBe(0)
    expect(taken(1099)).toBe(3)
    expect(taken(1199)).toBe(1)
  })
})
