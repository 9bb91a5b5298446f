import { setImmediate, setTimeout } from 'node:timers'
import { expect, it } from 'vitest'
import { afterPendingInput, clock } from './event-loop.js'

it('after input was looked for, a driver has a turn to hand over what there was', async () => {
  const log: string[] = []
  await new Promise<void>((resolve) => {
    // From a timer, as deadlines come: it may be due before the event loop has looked at its sockets.
    setTimeout(() => {
      afterPendingInput(clock, () => {
        log.push('judged')
        resolve()
      })
      setImmediate(() => log.push('handed over'))
    }, 1)
  })
  expect(log).toEqual(['handed over', 'judged'])
})

it('is cancelled in either of its turns', async () => {
  const log: string[] = []
  const inTheFirst = afterPendingInput(clock, () => log.push('the first'))
  const inTheSecond = afterPendingInput(clock, () => log.push('the second'))
  inTheFirst.close()
  setImmediate(() => inTheSecond.close())
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(log).toEqual([])
})
