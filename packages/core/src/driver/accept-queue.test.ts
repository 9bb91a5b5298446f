/** Connections that wait for accept, and accepts that wait for connections. */
import { describe, expect, it } from 'vitest'
import { NettsError } from '../errors.js'
import { type LoopbackTransport, loopbackPair } from '../test-support/loopback.js'
import { AcceptQueue } from './accept-queue.js'

const transport = () => loopbackPair()[0]

describe('AcceptQueue', () => {
  it('hands connections out in order, whether they or the accepts came first', async () => {
    const queue = new AcceptQueue<LoopbackTransport>(2)
    const [a, b, c, d] = [transport(), transport(), transport(), transport()]
    const early = [queue.accept(), queue.accept()]
    for (const next of [a, b, c, d]) expect(queue.push(next)).toBe(true)
    expect(queue.length).toBe(2)
    expect(await Promise.all([...early, queue.accept(), queue.accept()])).toEqual([a, b, c, d])
  })

  it('takes no more than its backlog, unless somebody waits', async () => {
    const queue = new AcceptQueue<LoopbackTransport>(0)
    expect(queue.hasRoom).toBe(false)
    expect(queue.push(transport())).toBe(false)
    const accepted = queue.accept()
    expect(queue.hasRoom).toBe(true)
    const welcome = transport()
    expect(queue.push(welcome)).toBe(true)
    expect(await accepted).toBe(welcome)
  })

  it('refuses options that accept does not have', async () => {
    const queue = new AcceptQueue<LoopbackTransport>(2)
    await expect(queue.accept({ singal: new AbortController().signal } as never)).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
      message: "options has no 'singal': did you mean 'signal'?",
    })
  })

  it('loses no connection to an aborted accept', async () => {
    const queue = new AcceptQueue<LoopbackTransport>(2)
    const controller = new AbortController()
    const abandoned = queue.accept({ signal: controller.signal })
    const accepted = queue.accept()
    controller.abort()
    const only = transport()
    queue.push(only)
    await expect(abandoned).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    expect(await accepted).toBe(only)
    queue.push(only)
    await expect(queue.accept({ signal: controller.signal })).rejects.toMatchObject({
      code: 'ERR_NETTS_ABORTED',
    })
    expect(queue.length).toBe(1)
  })

  it('rejects a signal that is none', async () => {
    const queue = new AcceptQueue(1)
    await expect(queue.accept({ signal: 1 as never })).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
  })

  it('destroys waiting connections and ends waiting accepts when closed', async () => {
    const queue = new AcceptQueue<LoopbackTransport>(2)
    const unaccepted = transport()
    queue.push(unaccepted)
    queue.close()
    queue.close()
    expect(unaccepted.error).toMatchObject({ code: 'ERR_NETTS_CLOSED' })
    expect(await queue.accept()).toBe(undefined)
    expect(queue.push(transport())).toBe(false)

    const other = new AcceptQueue<LoopbackTransport>(2)
    const waiting = other.accept()
    other.close()
    expect(await waiting).toBe(undefined)
  })

  it('reports a broken listener after the connections that already wait, until closed', async () => {
    const queue = new AcceptQueue<LoopbackTransport>(2)
    const waiting = transport()
    queue.push(waiting)
    const failure = new NettsError('ERR_NETTS_LISTEN_FAILED', 'gone')
    queue.fail(failure)
    expect(await queue.accept()).toBe(waiting)
    await expect(queue.accept()).rejects.toBe(failure)
    queue.close()
    expect(await queue.accept()).toBe(undefined)

    const other = new AcceptQueue<LoopbackTransport>(2)
    const accepted = other.accept()
    other.fail(failure)
    await expect(accepted).rejects.toBe(failure)
  })

  it('refuses options that are none', async () => {
    const queue = new AcceptQueue<LoopbackTransport>(1)
    await expect(queue.accept(null as never)).rejects.toMatchObject({ code: 'ERR_NETTS_INVALID_ARGUMENT' })
  })
})
