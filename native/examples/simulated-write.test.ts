/** The example prints what it wrote. */
import { expect, it, vi } from 'vitest'

it('writes into the memory of another host', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  await import('./simulated-write.js')
  expect(log.mock.calls).toEqual([['hello, memory']])
})
