/** Waiting in order, and leaving early. */
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { NettsError } from '../errors.js'
import { WaitQueue } from './wait-queue.js'

describe('WaitQueue', () => {
  it('serves in the order of the calls', async () => {
    const queue = new WaitQueue<string, number>('take')
    const waiting = [queue.wait(1), queue.wait(2), queue.wait(3)]
    expect(queue.length).toBe(3)
    for (const value of ['a', 'b', 'c']) queue.first!.resolve(`${queue.first!.detail}${value}`)
    expect(await Promise.all(waiting)).toEqual(['1a', '2b', '3c'])
    expect(queue.length).toBe(0)
    expect(queue.first).toBe(undefined)
  })

  it('lets an aborted one go, wherever it stands, and leaves no listener behind', async () => {
    for (const position of [0, 1, 2]) {
      const abandoned: number[] = []
      const queue = new WaitQueue<string, number>('take', (detail) => abandoned.push(detail))
      const controllers = [0, 1, 2].map(() => new AbortController())
      const waiting = controllers.map(({ signal }, index) => queue.wait(index, signal))
      const reason = new Error('changed my mind')
      controllers[position]!.abort(reason)
      await expect(waiting[position]).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED', cause: reason })
      expect(abandoned).toEqual([position])
      expect(queue.length).toBe(2)
      queue.resolveAll('done')
      const others = waiting.filter((_, index) => index !== position)
      expect(await Promise.all(others)).toEqual(['done', 'done'])
      for (const { signal } of controllers) expect(getEventListeners(signal, 'abort')).toEqual([])
    }
  })

  it('does not begin to wait with a signal that is aborted', async () => {
    const queue = new WaitQueue<void>('take')
    await expect(queue.wait(undefined, AbortSignal.abort())).rejects.toMatchObject({
      code: 'ERR_NETTS_ABORTED',
      operation: 'take',
    })
    expect(queue.length).toBe(0)
  })

  it('ignores a signal once told so', async () => {
    const queue = new WaitQueue<string>('take')
    const controller = new AbortController()
    const waiting = queue.wait(undefined, controller.signal)
    queue.first!.ignoreSignal()
    controller.abort()
    queue.resolveAll('served')
    expect(await waiting).toBe('served')
  })

  it('rejects all', async () => {
    const queue = new WaitQueue<void>('take')
    const waiting = [queue.wait(undefined), queue.wait(undefined)]
    const error = new NettsError('ERR_NETTS_CLOSED', 'closed')
    queue.rejectAll(error)
    for (const wait of waiting) await expect(wait).rejects.toBe(error)
  })
})
