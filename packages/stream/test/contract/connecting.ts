/** From `connect` on, and before it. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { Ground } from './ground.js'
import { closeAll, closeOf, eventsOf, readAll, someTurns, withPair } from './pair.js'

export function connecting(ground: Ground): void {
  it('connects: first connecting, then the events connect and ready', async () => {
    const listener = await ground.listen({})
    const client = ground.connect(listener, {})
    const events = eventsOf(client)
    expect(client).toMatchObject({ connecting: true, pending: true, readyState: 'opening', destroyed: false })
    await once(client, 'ready')
    expect(client).toMatchObject({ connecting: false, pending: false, readyState: 'open' })
    await someTurns()
    expect(events).toEqual(['connect', 'ready'])
    await closeAll(listener, client)
  })

  it('sends what was written before it was connected, and counts it', async () => {
    const listener = await ground.listen({})
    const received = new Promise<string>((resolve) => {
      listener.on('connection', (socket) => void readAll(socket).then((bytes) => resolve(String(bytes))))
    })
    const client = ground.connect(listener, {})
    const written: string[] = []
    client.once('connect', () => written.push('connect'))
    client.write('one ', () => written.push('one'))
    client.write('two ', () => written.push('two'))
    client.end('three', () => written.push('end'))
    expect(client.bytesWritten).toBe(13)
    expect(await received).toBe('one two three')
    if (!client.writableFinished) await once(client, 'finish')
    expect(written).toEqual(['connect', 'one', 'two', 'end'])
    expect(client.bytesWritten).toBe(13)
    await closeAll(listener, client)
  })

  it('ends before it is connected', async () => {
    const listener = await ground.listen({})
    const ended = new Promise<number>((resolve) => {
      listener.on('connection', (socket) => void readAll(socket).then(({ length }) => resolve(length)))
    })
    const client = ground.connect(listener, {})
    client.end()
    expect(await ended).toBe(0)
    await closeAll(listener, client)
  })

  it('that nobody listens for is an error, and then close', async () => {
    const listener = await ground.listen({})
    await new Promise<void>((resolve) => listener.close(() => resolve()))
    const client = ground.connect(listener, {})
    const events = eventsOf(client)
    const failed = new Promise<Error>((resolve) => client.once('error', resolve))
    const written = new Promise<Error | null | undefined>((resolve) => client.write('x', resolve))
    await closeOf(client)
    expect(await failed).toMatchObject({ code: ground.refusal })
    expect(await written).toBeInstanceOf(Error)
    expect(events).toEqual(['error', 'close(true)'])
    expect(client).toMatchObject({ destroyed: true, connecting: false, readyState: 'closed', pending: true })
  })

  it('destroyed before it is connected, it only closes', async () => {
    const listener = await ground.listen({})
    listener.on('connection', (socket) => socket.on('error', () => {}))
    const client = ground.connect(listener, {})
    const events = eventsOf(client)
    client.destroy()
    expect(client.destroyed).toBe(true)
    await once(client, 'close')
    await someTurns()
    expect(events).toEqual(['close(false)'])
    await closeAll(listener)
  })

  it('destroyed with an error before it is connected, it tells that error', async () => {
    const listener = await ground.listen({})
    listener.on('connection', (socket) => socket.on('error', () => {}))
    const client = ground.connect(listener, {})
    const events = eventsOf(client)
    const failed = once(client, 'error')
    client.destroy(new Error('not any more'))
    expect((await failed)[0]).toMatchObject({ message: 'not any more' })
    await someTurns()
    expect(events).toEqual(['error', 'close(true)'])
    await closeAll(listener)
  })

  it('knows both addresses', () =>
    withPair(ground, {}, async ({ client, server }) => {
      if (!ground.hasPorts) return
      expect(client.remoteAddress).toBe(server.localAddress)
      expect(client.remotePort).toBe(server.localPort)
      expect(server.remotePort).toBe(client.localPort)
      expect(client.remoteFamily).toBe('IPv4')
      expect(client.localFamily).toBe('IPv4')
      expect(client.address()).toEqual({
        address: client.localAddress,
        family: 'IPv4',
        port: client.localPort,
      })
    }))

  it('has methods that return it', () =>
    withPair(ground, {}, async ({ client }) => {
      expect(client.setNoDelay(true)).toBe(client)
      expect(client.setKeepAlive(true, 1000)).toBe(client)
      expect(client.setTimeout(0)).toBe(client)
      expect(client.unref()).toBe(client)
      expect(client.ref()).toBe(client)
    }))
}
