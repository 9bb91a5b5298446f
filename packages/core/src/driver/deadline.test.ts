/** One deadline and one signal over an operation. */
import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../test-support/manual-clock.js'
import { type DeadlineTask, type EndSignal, withDeadline } from './deadline.js'

const address = { host: 'example', port: 1 }
let clock: ManualClock

function task<T>(start: DeadlineTask<T>['start'], options: Partial<DeadlineTask<T>> = {}): DeadlineTask<T> {
  return {
    operation: 'connect',
    address,
    signal: undefined,
    timeoutMs: 100,
    clock,
    start,
    dispose: () => {},
    ...options,
  }
}

const forEver = () => new Promise<never>(() => {})

describe('withDeadline', () => {
  beforeEach(() => {
    clock = new ManualClock()
  })
  afterEach(() => {
    expect(clock.pending).toBe(0)
  })

  it('gives the result, and clears its timer and listener', async () => {
    const { signal } = new AbortController()
    expect(await withDeadline(task(async () => 'done', { signal }))).toBe('done')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('passes on why the task failed', async () => {
    const failure = new Error('refused')
    await expect(withDeadline(task(() => Promise.reject(failure)))).rejects.toBe(failure)
  })

  it('treats a start that throws as one that rejects', async () => {
    const failure = new Error('thrown')
    const throwing = task((): Promise<void> => {
      throw failure
    })
    await expect(withDeadline(throwing)).rejects.toBe(failure)
  })

  it('rejects when time is up, and tells the task why', async () => {
    let ended: EndSignal | undefined
    const cleanUp = vi.fn()
    const result = withDeadline(
      task((signal) => {
        ended = signal
        ended.onabort = cleanUp
        return forEver()
      }),
    )
    const rejected = expect(result).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      message: 'connect to example:1 did not complete within 100 ms',
      address,
    })
    await clock.advance(99)
    expect(ended?.aborted).toBe(false)
    expect(() => ended?.throwIfAborted()).not.toThrow()
    await clock.advance(1)
    expect(ended?.aborted).toBe(true)
    expect(cleanUp).toHaveBeenCalledTimes(1)
    expect(() => ended?.throwIfAborted()).toThrow(ended?.reason)
    await rejected
    expect(ended?.reason).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
  })

  it('rejects when aborted, with the reason as the cause', async () => {
    const controller = new AbortController()
    const result = withDeadline(task(forEver, { signal: controller.signal }))
    controller.abort('enough')
    await expect(result).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED', cause: 'enough' })
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })

  it('does not start with a signal that is aborted', async () => {
    const start = vi.fn(forEver)
    await expect(withDeadline(task(start, { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'ERR_NETTS_ABORTED',
    })
    expect(start).not.toHaveBeenCalled()
  })

  it('disposes of a result that comes too late', async () => {
    let finish!: (result: string) => void
    const disposed: string[] = []
    const late = new Promise<string>((resolve) => {
      finish = resolve
    })
    const result = withDeadline(task(() => late, { dispose: (value) => disposed.push(value) }))
    const rejected = expect(result).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    await clock.advance(100)
    await rejected
    finish('late')
    await clock.advance(0)
    expect(disposed).toEqual(['late'])
  })

  it('waits for ever with 0', async () => {
    const result = withDeadline(
      task(() => new Promise<string>((resolve) => clock.setTimer(() => resolve('slow'), 1e6)), {
        timeoutMs: 0,
      }),
    )
    await clock.advance(1e6)
    expect(await result).toBe('slow')
  })

  it.each([-1, 1.5, Number.NaN, 2 ** 31])('rejects a deadline of %s', async (timeoutMs) => {
    await expect(withDeadline(task(forEver, { timeoutMs }))).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
  })
})
