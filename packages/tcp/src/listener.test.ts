/** What only a server of a test's own says: connections that the kernel could not hand over, and what Node.js forbids. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { Server } from 'node:net'
import { DIAGNOSTICS_CHANNELS, type ListenerErrorEvent } from '@netts/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { tcp } from './index.js'

const opened = vi.hoisted(() => ({
  server: undefined as Server | undefined,
  forbidden: undefined as Error | undefined,
}))
vi.mock('node:net', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:net')>()
  const createServer = (...args: Parameters<typeof original.createServer>) => {
    const server = original.createServer(...args)
    const { forbidden } = opened
    if (forbidden) {
      server.listen = () => {
        throw forbidden
      }
    }
    opened.server = server
    return server
  }
  return { ...original, createServer }
})

const tooManyFiles = () => Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' })

// libuv hides most of these.
describe('connections that could not be accepted', () => {
  it('are events of the listener, which goes on', async () => {
    const events: ListenerErrorEvent[] = []
    const onEvent = (event: unknown) => events.push(event as ListenerErrorEvent)
    subscribe(DIAGNOSTICS_CHANNELS.listenerError, onEvent)
    onTestFinished(() => void unsubscribe(DIAGNOSTICS_CHANNELS.listenerError, onEvent))
    await using listener = await tcp().listen({ host: '127.0.0.1', port: 0 })
    opened.server!.emit('error', tooManyFiles())
    expect(events).toHaveLength(1)
    expect(events[0]!.address).toEqual(listener.address)
    expect(events[0]!.error).toMatchObject({ operation: 'accept', cause: { code: 'EMFILE' } })
    const [client, accepted] = await Promise.all([tcp().connect(listener.address), listener.accept()])
    expect(accepted?.state).toBe('open')
    client.destroy()
    accepted?.destroy()
  })

  it('are warnings of the process while nobody listens to these events', async () => {
    await using _listener = await tcp().listen({ host: '127.0.0.1', port: 0 })
    const warned = once(process, 'warning')
    opened.server!.emit('error', tooManyFiles())
    const [warning] = await warned
    expect(warning).toMatchObject({ operation: 'accept', cause: { code: 'EMFILE' } })
  })
})

it('a listen that Node.js forbids, as with --permission, is an error with the cause', async () => {
  opened.forbidden = Object.assign(new Error('Access to this API has been restricted'), {
    code: 'ERR_ACCESS_DENIED',
  })
  onTestFinished(() => {
    opened.forbidden = undefined
  })
  await expect(tcp().listen({ host: '127.0.0.1', port: 0 })).rejects.toMatchObject({
    code: 'ERR_NETTS_LISTEN_FAILED',
    operation: 'listen',
    cause: opened.forbidden,
  })
})
