/** When to try again. */
import { NettsError } from '@netts/core'
import { describe, expect, it } from 'vitest'
import { reconnectExponential, reconnectFixed, reconnectNever } from './backoff.js'

const error = new NettsError('ERR_NETTS_CONNECT_FAILED', 'refused')
const attempt = (failures: number) => ({ failures, endpoint: { path: 'x' }, error })

describe('policies', () => {
  it('wait a random time below a limit that doubles, up to the cap', () => {
    const longest = reconnectExponential({ baseMs: 100, capMs: 1000, random: () => 0.999_999 })
    expect([1, 2, 3, 4, 5, 100, 2000].map((n) => longest(attempt(n)))).toEqual([
      100, 200, 400, 800, 1000, 1000, 1000,
    ])
    const shortest = reconnectExponential({ random: () => 0 })
    expect(shortest(attempt(50))).toBe(1)
  })

  it('wait always the same, or not at all', () => {
    expect(reconnectFixed(250)(attempt(9))).toBe(250)
    expect(reconnectNever()(attempt(1))).toBe(undefined)
  })

  it('refuse delays that are none', () => {
    const refused = expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' })
    expect(() => reconnectFixed(0)).toThrow(refused)
    expect(() => reconnectExponential({ baseMs: 10, capMs: 5 })).toThrow(refused)
    expect(() => reconnectExponential({ baseMS: 10 } as object)).toThrow(refused)
  })
})
