/** Two ends that both wait for each other, in every interleaving: too many for `npm test`. */
import { describe, expect, it } from 'vitest'
import { explore } from './model.js'

describe('two ends that both wait', () => {
  it('get on when neither has more than reserves left', () => {
    const both = { capacity: 512, window: 1, sends: [1, 1, 1] }
    const { states, withReservesAlone } = explore(both, both)
    console.log(`${states} states, ${withReservesAlone} of them with reserves alone`)
    expect(withReservesAlone).toBeGreaterThan(0)
  })

  it('get on when neither ring has room, be it with the longest frames there are', () => {
    const both = { capacity: 64, window: 3, sends: [16, 16, 16] }
    const { states, withoutRoom } = explore(both, both)
    console.log(`${states} states, ${withoutRoom} of them without room`)
    expect(withoutRoom).toBeGreaterThan(0)
  })
})
