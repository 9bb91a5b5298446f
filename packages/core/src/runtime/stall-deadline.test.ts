/** Giving up after a whole deadline without progress. */
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../test-support/manual-clock.js'
import { StallDeadline } from './stall-deadline.js'

function watch(progress: () => number | undefined | Promise<number | undefined>, baseline?: () => number) {
  const clock = new ManualClock()
  const counts = { looks: 0, stalls: 0 }
  const deadline = new StallDeadline({
    clock,
    timeoutMs: 1000,
    progress: () => {
      counts.looks++
      return progress()
    },
    baseline,
    onStalled: () => counts.stalls++,
  })
  return { clock, counts, deadline }
}

describe('a stall deadline', () => {
  it('fires after its time without progress, once', async () => {
    const { clock, counts, deadline } = watch(() => 7)
    deadline.start()
    await clock.advance(999)
    expect(counts.stalls).toBe(0)
    await clock.advance(1)
    expect(counts.stalls).toBe(1)
    await clock.advance(5000)
    expect(counts.stalls).toBe(1)
  })

  it('begins anew with any progress', async () => {
    let progress = 0
    const { clock, counts, deadline } = watch(() => progress)
    deadline.start()
    for (let n = 0; n < 5; n++) {
      await clock.advance(900)
      progress++
    }
    expect(counts.stalls).toBe(0)
    await clock.advance(1250)
    expect(counts.stalls).toBe(1)
  })

  it('looks nothing up before a quarter of its time has passed: most watches end before', async () => {
    const { clock, counts, deadline } = watch(
      async () => 7,
      () => 7,
    )
    for (let n = 0; n < 100; n++) {
      deadline.start()
      await clock.advance(1)
      deadline.stop()
    }
    expect(counts.looks).toBe(0)
    expect(clock.pending).toBe(0)
    deadline.start()
    await clock.advance(1000)
    expect(counts).toEqual({ looks: 4, stalls: 1 })
  })

  it('ends when there is nothing to wait for', async () => {
    let progress: number | undefined = 1
    const { clock, counts, deadline } = watch(() => progress)
    deadline.start()
    progress = undefined
    await clock.advance(5000)
    expect(counts.stalls).toBe(0)
    expect(clock.pending).toBe(0)
  })
})
