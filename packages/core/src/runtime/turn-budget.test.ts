/** The budget of a turn, in a time of the test's own: each message takes as long as the test says. */
import { describe, expect, it, vi } from 'vitest'

const loop = vi.hoisted(() => ({ nowMs: 0, due: [] as (() => void)[] }))
vi.mock('./event-loop.js', () => ({
  now: () => loop.nowMs,
  clock: {
    setImmediate: (callback: () => void) => {
      loop.due.push(callback)
      return { close: () => {} }
    },
  },
}))

const { deferTurn, isSaturated, takeTurn } = await import('./turn-budget.js')

/** The event loop's next turn. */
function turn(): void {
  for (const callback of loop.due.splice(0)) callback()
}

/** Receives as long as it may. @returns for how long that was, in ms */
function deliver(messageMs: number): number {
  const beganMs = loop.nowMs
  while (takeTurn()) loop.nowMs += messageMs
  return loop.nowMs - beganMs
}

/** How long each of many turns delivered, in ms, with so much to deliver that every turn is full. */
function saturate(messageMs: number): number[] {
  const tookMs: number[] = []
  const deferred = {
    onTurn: () => {
      tookMs.push(deliver(messageMs))
      if (tookMs.length < 20) deferTurn(deferred)
    },
  }
  deferTurn(deferred)
  while (tookMs.length < 20) turn()
  return tookMs
}

describe('a turn of delivering', () => {
  it.each([0.0005, 0.003, 0.01, 0.1, 0.4])(
    'takes about a millisecond, with messages of %d ms each',
    (messageMs) => {
      const tookMs = saturate(messageMs)
      // At first it is not known how long the program takes over a message.
      for (const ms of tookMs) expect(ms).toBeLessThan(1 + 64 * messageMs)
      for (const ms of tookMs.slice(10)) {
        expect(ms).toBeLessThan(1.5 + messageMs)
        // Each turn costs something, so all of the budget is used.
        expect(ms).toBeGreaterThan(0.9)
      }
    },
  )

  it('is over for every connection once the budget is spent, until the saturation has ended', () => {
    saturate(0.01)
    expect([takeTurn(), isSaturated()]).toEqual([false, true])
    turn()
    expect([takeTurn(), isSaturated()]).toEqual([true, true])
    turn()
    expect(isSaturated()).toBe(false)
  })

  it('belongs to one of those that wait, in their order', () => {
    const order: string[] = []
    for (const name of ['first', 'second', 'third']) deferTurn({ onTurn: () => order.push(name) })
    for (const served of [1, 2, 3]) {
      turn()
      expect(order.length).toBe(served)
    }
    expect(order).toEqual(['first', 'second', 'third'])
    turn()
  })

  it('is not held back by others that wait, for the one that has it', () => {
    const saturated: boolean[] = []
    for (let n = 0; n < 2; n++) deferTurn({ onTurn: () => saturated.push(isSaturated()) })
    expect(isSaturated()).toBe(true)
    turn()
    turn()
    expect(saturated).toEqual([false, false])
    turn()
  })
})
