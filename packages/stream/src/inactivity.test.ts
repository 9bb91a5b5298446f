/** When a stream counts as idle. */
import { expect, it } from 'vitest'
import { Inactivity } from './inactivity.js'

it('is not idle while the wire takes what was queued, also when nothing more is written', async () => {
  // At the last write, and then at each look.
  const queued = [300, 200, 100, 100]
  let looks = 0
  await new Promise<void>((resolve) => {
    new Inactivity(() => queued[Math.min(looks++, queued.length - 1)]!, resolve).set(10)
  })
  expect(looks).toBe(queued.length)
})

it('is idle where the peer takes nothing of what was queued', async () => {
  let looks = 0
  await new Promise<void>((resolve) => {
    new Inactivity(() => {
      looks++
      return 300
    }, resolve).set(10)
  })
  expect(looks).toBe(2)
})
