/** Which endpoint the next caller gets. */
import { describe, expect, it } from 'vitest'
import type { EndpointStatus } from '../pool.js'
import { powerOfTwoChoices, roundRobin } from './pick.js'

interface Given {
  weight?: number
  inFlight?: number
  connecting?: number
  idle?: number
}

const endpoint = (given: Given = {}) =>
  ({ weight: 1, inFlight: 0, connecting: 0, idle: 1, ...given }) as EndpointStatus

/** The same numbers on every run. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function counts(pick: (all: readonly EndpointStatus[]) => EndpointStatus | undefined, all: EndpointStatus[]) {
  const chosen = new Map(all.map((one) => [one, 0]))
  for (let n = 0; n < 4000; n++) {
    const one = pick(all)!
    chosen.set(one, chosen.get(one)! + 1)
  }
  return [...chosen.values()]
}

describe('power of two choices', () => {
  it('takes of two the one with fewer in flight for its weight', () => {
    const busy = endpoint({ inFlight: 3 })
    const free = endpoint({ inFlight: 5, weight: 2 })
    for (let n = 0; n < 100; n++) expect(powerOfTwoChoices()([busy, free])).toBe(free)
  })

  it('counts attempts to connect as load, and of equals takes one that has a connection', () => {
    const connecting = endpoint({ connecting: 1 })
    const cold = endpoint({ idle: 0 })
    const warm = endpoint()
    for (let n = 0; n < 100; n++) {
      expect(powerOfTwoChoices()([connecting, cold])).toBe(cold)
      expect(powerOfTwoChoices()([cold, warm])).toBe(warm)
    }
  })

  it('never chooses the worst of three, and spreads evenly over equals', () => {
    const random = randomOf(1)
    const all = [endpoint({ inFlight: 9 }), endpoint(), endpoint()]
    expect(counts(powerOfTwoChoices(random), all)[0]).toBe(0)
    for (const count of counts(powerOfTwoChoices(random), [endpoint(), endpoint(), endpoint()])) {
      expect(Math.abs(count - 4000 / 3)).toBeLessThan(150)
    }
  })

  it('follows the weights when nothing is in flight', () => {
    const [light, heavy] = counts(powerOfTwoChoices(randomOf(2)), [endpoint(), endpoint({ weight: 3 })])
    expect(heavy! / light!).toBeGreaterThan(2.6)
    expect(heavy! / light!).toBeLessThan(3.4)
  })

  it('takes the only one, and none of none', () => {
    const only = endpoint()
    expect(powerOfTwoChoices()([only])).toBe(only)
    expect(powerOfTwoChoices()([])).toBe(undefined)
  })
})

describe('round robin', () => {
  it('takes one after the other, by weight, and spreads them', () => {
    const all = [endpoint({ weight: 2 }), endpoint()]
    const pick = roundRobin()
    const order = Array.from({ length: 6 }, () => all.indexOf(pick(all)!))
    expect(order).toEqual([0, 1, 0, 0, 1, 0])
  })
})
