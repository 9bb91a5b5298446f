/** Destroying: at every moment, with an error, and by a reset. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { AnySocket, Ground } from './ground.js'
import { closeAll, eventsOf, pattern, readAll, someTurns, withPair } from './pair.js'

const RESET = /^(ECONNRESET|EPIPE|ERR_NETTS_RESET)$/

export function destroying(ground: Ground): void {
  it('destroy closes it; the peer sees an end', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const [events, peerEvents] = [eventsOf(client), eventsOf(server)]
      server.resume()
      expect(client.destroy()).toBe(client)
      expect(client).toMatchObject({ destroyed: true, readable: false, writable: false })
      await Promise.all([once(client, 'close'), once(server, 'close')])
      expect(events).toEqual(['close(false)'])
      expect(peerEvents).toEqual(['end', 'finish', 'close(false)'])
    }))

  it('destroy with an error tells it here alone', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const [events, peerEvents] = [eventsOf(client), eventsOf(server)]
      server.resume()
      const told = once(client, 'error')
      const closed = new Promise((resolve) => client.once('close', resolve))
      client.destroy(new Error('enough'))
      expect((await told)[0]).toMatchObject({ message: 'enough' })
      expect(client.errored).toMatchObject({ message: 'enough' })
      expect(await closed).toBe(true)
      await once(server, 'close')
      expect(events).toEqual(['error', 'close(true)'])
      expect(peerEvents).toEqual(['end', 'finish', 'close(false)'])
    }))

  it('destroyed twice, it closes once, with the first error', () =>
    withPair(ground, {}, async ({ client }) => {
      const events = eventsOf(client)
      const errors: Error[] = []
      client.on('error', (error) => errors.push(error))
      client.destroy(new Error('first'))
      client.destroy(new Error('second'))
      client.destroy()
      await new Promise((resolve) => client.once('close', resolve))
      await someTurns()
      expect(errors.map(({ message }) => message)).toEqual(['first'])
      expect(events).toEqual(['error', 'close(true)'])
    }))

  it('what was written right before destroy arrives', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const all = readAll(server)
      client.write('last words')
      await someTurns()
      client.destroy()
      expect(String(await all)).toBe('last words')
    }))

  it('resetAndDestroy closes it; the peer sees an error', () =>
    withPair(ground, {}, async ({ client, server }) => {
      if (!ground.hasReset) return
      const [events, peerEvents] = [eventsOf(client), eventsOf(server)]
      server.resume()
      const told = new Promise((resolve) => server.once('error', resolve))
      const peerClosed = new Promise((resolve) => server.once('close', resolve))
      expect(client.resetAndDestroy()).toBe(client)
      expect(await told).toMatchObject({ code: expect.stringMatching(RESET) })
      expect(await peerClosed).toBe(true)
      await someTurns()
      expect(events).toEqual(['close(false)'])
      expect(peerEvents).toEqual(['error', 'close(true)'])
    }))

  it('a reset fails what the peer writes', () =>
    withPair(ground, {}, async ({ client, server }) => {
      if (!ground.hasReset) return
      const failed = new Promise<Error>((resolve) => server.once('error', resolve))
      const outcomes: unknown[] = []
      for (let i = 0; i < 32; i++) server.write(pattern(1 << 20), (error) => outcomes.push(error))
      await someTurns()
      client.resetAndDestroy()
      expect(await failed).toMatchObject({ code: expect.stringMatching(RESET) })
      await someTurns()
      expect(outcomes.length).toBe(32)
      expect(outcomes.at(-1)).toBeInstanceOf(Error)
    }))

  it('nothing comes after close, whenever it was destroyed', async () => {
    type Arm = (socket: AnySocket, destroy: () => void) => void
    const moments: Record<string, Arm> = {
      data: (socket, destroy) => socket.once('data', destroy),
      readable: (socket, destroy) => socket.once('readable', destroy),
      end: (socket, destroy) => socket.once('end', destroy),
      finish: (socket, destroy) => socket.once('finish', destroy),
      written: (socket, destroy) => socket.write('x', () => destroy()),
      tick: (_, destroy) => process.nextTick(destroy),
      turn: (_, destroy) => setImmediate(destroy),
      timer: (_, destroy) => setTimeout(destroy, 1),
    }
    for (const arm of Object.values(moments)) {
      await withPair(ground, {}, async ({ client, server }) => {
        const late: string[] = []
        let isClosed = false
        for (const name of ['data', 'end', 'finish', 'error', 'drain', 'close', 'timeout']) {
          client.on(name, () => {
            if (isClosed) late.push(name)
          })
        }
        server.resume()
        const closed = once(client, 'close')
        arm(client, () => client.destroy())
        client.resume()
        client.end(pattern(200_000))
        server.end(pattern(200_000))
        await closed
        isClosed = true
        await someTurns()
        expect(late).toEqual([])
      })
    }
  })

  it('may be destroyed in the very event that announces it', async () => {
    const listener = await ground.listen({})
    const closed = new Promise<boolean>((resolve) => {
      listener.on('connection', (socket) => {
        socket.once('close', resolve)
        socket.destroy()
      })
    })
    const client = ground.connect(listener, {})
    const events = eventsOf(client)
    client.resume()
    client.on('connect', () => client.destroy())
    await once(client, 'close')
    expect(await closed).toBe(false)
    expect(events.at(-1)).toBe('close(false)')
    await closeAll(listener)
  })

  it('closes when both destroy at once', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const both = [client, server].map((socket) => once(socket, 'close'))
      client.destroy()
      server.destroy()
      expect(await Promise.all(both)).toEqual([[false], [false]])
    }))
}
