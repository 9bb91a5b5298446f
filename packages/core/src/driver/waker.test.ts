/** The waker rules. */
import { describe, expect, it } from 'vitest'
import { Waker } from './waker.js'

const fail = (error: unknown): never => {
  throw error
}
const tick = () => new Promise<void>((resolve) => process.nextTick(resolve))

describe('Waker', () => {
  it('calls back after the present call stack, not within it', async () => {
    const waker = new Waker(fail)
    let calls = 0
    waker.callback = () => calls++
    waker.wake()
    expect(calls).toBe(0)
    await tick()
    expect(calls).toBe(1)
  })

  it('serves several causes with one call', async () => {
    const waker = new Waker(fail)
    let calls = 0
    waker.callback = () => calls++
    waker.wake()
    waker.wake()
    await tick()
    expect(calls).toBe(1)
    await tick()
    expect(calls).toBe(1)
  })

  it('remembers a cause while there is no callback', async () => {
    const waker = new Waker(fail)
    let calls = 0
    waker.wake()
    await tick()
    waker.callback = () => calls++
    await tick()
    expect(calls).toBe(1)
  })

  it('keeps a cause when the callback is taken away before it ran', async () => {
    const waker = new Waker(fail)
    const calls: string[] = []
    waker.callback = () => calls.push('first')
    waker.wake()
    waker.callback = undefined
    await tick()
    expect(calls).toEqual([])
    waker.callback = () => calls.push('second')
    await tick()
    expect(calls).toEqual(['second'])
  })

  it('does not call a new callback when nothing is pending', async () => {
    const waker = new Waker(fail)
    let calls = 0
    waker.callback = () => {}
    waker.wake()
    await tick()
    waker.callback = () => calls++
    await tick()
    expect(calls).toBe(0)
  })

  it('calls again for a cause from within the callback', async () => {
    const waker = new Waker(fail)
    let calls = 0
    waker.callback = () => {
      if (++calls === 1) waker.wake()
    }
    waker.wake()
    await tick()
    await tick()
    expect(calls).toBe(2)
  })
})
