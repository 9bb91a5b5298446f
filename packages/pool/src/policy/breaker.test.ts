/** The circuit breaker's state machine. */
import { describe, expect, it } from 'vitest'
import { Breaker, checkBreakerOptions } from './breaker.js'

const breaker = (random = 1) =>
  new Breaker(checkBreakerOptions({ failures: 3, openMs: 1000, maxOpenMs: 2500 }), () => random)

function open(target: Breaker, nowMs: number) {
  let isOpen = false
  for (let n = 0; n < 3 && !isOpen; n++) isOpen = target.onFailure(nowMs)
  expect(isOpen).toBe(true)
}

describe('a circuit breaker', () => {
  it('opens after so many failures in a row', () => {
    const target = breaker()
    expect([target.onFailure(0), target.onFailure(0)]).toEqual([false, false])
    target.onSuccess()
    expect([target.onFailure(0), target.onFailure(0), target.onFailure(0)]).toEqual([false, false, true])
    expect(target.state(999)).toBe('open')
    expect(target.allowsConnect(999)).toBe(false)
  })

  it('allows one probe once its time is over, which takes half of it or more', () => {
    const target = breaker(0)
    open(target, 0)
    expect(target.state(499)).toBe('open')
    expect(target.state(500)).toBe('half-open')
    expect(target.allowsConnect(500)).toBe(true)
    target.onConnecting()
    expect(target.allowsConnect(500)).toBe(false)
    target.onConnectCancelled()
    expect(target.allowsConnect(500)).toBe(true)
  })

  it('is out longer each time, up to a limit', () => {
    const target = breaker()
    let nowMs = 0
    open(target, nowMs)
    const outMs: number[] = []
    for (let n = 0; n < 4; n++) {
      outMs.push(target.openUntilMs! - nowMs)
      nowMs = target.openUntilMs!
      target.onConnecting()
      expect(target.onFailure(nowMs)).toBe(true)
    }
    expect(outMs).toEqual([1000, 2000, 2500, 2500])
  })

  it('is on trial after a probe: the next failure opens it again, a success ends the trial', () => {
    const target = breaker()
    open(target, 0)
    target.onConnecting()
    expect(target.onConnected(1000)).toBe(true)
    expect(target.state(1000)).toBe('closed')
    expect(target.onFailure(1000)).toBe(true)
    target.onConnecting()
    target.onConnected(3000)
    target.onSuccess()
    expect(target.onFailure(3000)).toBe(false)
  })

  it('forgets its openings while it is well', () => {
    const target = breaker()
    open(target, 0)
    target.onConnecting()
    target.onConnected(1000)
    target.onSuccess()
    open(target, 500_000)
    expect(target.openUntilMs).toBe(501_000)
  })

  it('does not count what was in use when it opened', () => {
    const target = breaker()
    open(target, 0)
    expect(target.onFailure(0)).toBe(false)
    expect(target.openUntilMs).toBe(1000)
  })
})
