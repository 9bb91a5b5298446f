/** Operations that wait for capacity, messages or completions, and how they are cancelled. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import type { NettsError } from '@netts/core'
import { meanwhile, pause } from '../harness/deadline.js'
import { assertRejects } from '../harness/expect.js'
import { checkReceived, connected, copiedByteLength, message, sendUntilPending } from '../harness/messages.js'
import type { Area } from './area.js'

const MANY = 10_000

export const connectionWaitingRules: Area = (rule) => {
  rule('whenWritable waits while the peer does not read, and no longer', async (context) => {
    const [client, server] = await connected(context)
    await context.within('room at once', client.whenWritable())
    const size = copiedByteLength(client)
    const { pending, accepted } = await sendUntilPending(context, client, size)
    let isWritable = false
    const waiting = meanwhile(
      client.whenWritable().then(() => {
        isWritable = true
      }),
    )
    await pause()
    assert.equal(isWritable, false)
    assert.equal(client.trySend(message(0, size)), false)
    for (let i = 0; i <= accepted; i++) await context.within('a message', checkReceived(server, i, size))
    await context.within('the send', pending)
    await context.within('room', waiting)
    assert.equal(client.trySend(message(accepted + 1, 10)), true)
    await context.within('its message', checkReceived(server, accepted + 1, 10))
  })

  rule('flush resolves when the sends before it have settled, and nothing is queued', async (context) => {
    const [client, server] = await connected(context)
    const size = copiedByteLength(client)
    const { pending, accepted } = await sendUntilPending(context, client, size)
    const sends = [pending, client.send(message(accepted + 1, size)), client.send(message(accepted + 2, 10))]
    let settled = 0
    for (const sending of sends) {
      void sending.then(() => void settled++).catch(() => {})
    }
    const flushing = meanwhile(
      client.flush().then(() => {
        assert.equal(settled, sends.length, 'sends that had settled before the flush')
        assert.equal(client.queuedBytes, 0, 'bytes queued after a flush')
      }),
    )
    await pause()
    assert.equal(settled, 0)
    for (let i = 0; i <= accepted + 1; i++) await context.within('a message', checkReceived(server, i, size))
    await context.within('a message', checkReceived(server, accepted + 2, 10))
    await context.within('the flush', flushing)
  })

  rule('what a signal cancels rejects as AbortError, or as TimeoutError by a deadline', async (context) => {
    const listener = await context.listen()
    const [client] = await connected(context, {}, listener)
    await sendUntilPending(context, client, copiedByteLength(client))
    const reasons: [reason: Error, name: string][] = [
      [new Error('enough'), 'AbortError'],
      [new DOMException('too late', 'TimeoutError'), 'TimeoutError'],
    ]
    for (const [reason, name] of reasons) {
      const controller = new AbortController()
      const { signal } = controller
      const waiting: Promise<unknown>[] = [
        client.send(message(0, 10), { signal }),
        client.recv({ signal }),
        client.recvLease({ signal }),
        client.flush({ signal }),
        client.whenWritable({ signal }),
        listener.accept({ signal }),
        context.builder.connect(listener.address, { signal }),
      ]
      for (const operation of waiting) operation.catch(() => {})
      controller.abort(reason)
      for (const operation of waiting) {
        const error: NettsError = await assertRejects(
          context.within('what was cancelled', operation),
          'ERR_NETTS_ABORTED',
        )
        assert.equal(error.name, name)
        assert.equal(error.cause, reason)
      }
    }
  })

  rule(`${MANY} operations may wait for one signal, without a warning`, async (context) => {
    const listener = await context.listen()
    const [client, server] = await connected(context, {}, listener)
    const warnings: Error[] = []
    const note = (warning: Error) => void warnings.push(warning)
    process.on('warning', note)
    try {
      const controller = new AbortController()
      const { signal } = controller
      const waiting: Promise<unknown>[] = []
      for (let i = 0; i < MANY; i++) waiting.push(meanwhile(client.recv({ signal })))
      for (let i = 0; i < 100; i++) waiting.push(meanwhile(listener.accept({ signal })))
      await pause(5)
      const listeners = getEventListeners(signal, 'abort').length
      assert.ok(listeners <= 10, `${listeners} listeners on one signal`)
      assert.deepEqual(
        warnings.filter(({ name }) => name === 'MaxListenersExceededWarning'),
        [],
      )
      controller.abort()
      for (const operation of waiting) await assertRejects(operation, 'ERR_NETTS_ABORTED')
      assert.equal(getEventListeners(signal, 'abort').length, 0, 'listeners left behind on the signal')
    } finally {
      process.off('warning', note)
    }
    await Promise.all([server.send(message(1, 10)), checkReceived(client, 1, 10)])
  })
}
