/** The server. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { AnySocket, Ground } from './ground.js'
import { closeAll, someTurns, withPair } from './pair.js'

export function serving(ground: Ground): void {
  it('listens, and says where', async () => {
    const server = await ground.listen({})
    expect(server.listening).toBe(true)
    expect(server.address()).toMatchObject({ address: expect.any(String), port: expect.any(Number) })
    await new Promise<void>((resolve) => server.close(() => resolve()))
    expect(server.listening).toBe(false)
    expect(server.address()).toBe(null)
  })

  it('counts its connections', () =>
    withPair(ground, {}, async ({ client, server, listener }) => {
      const count = () =>
        new Promise<number>((resolve) => listener.getConnections((_, connections) => resolve(connections)))
      expect(await count()).toBe(1)
      const closed = once(server, 'close')
      server.resume()
      client.destroy()
      await closed
      await someTurns()
      expect(await count()).toBe(0)
    }))

  it('is closed once its connections are', () =>
    withPair(ground, {}, async ({ client, server, listener }) => {
      let isClosed = false
      const closed = new Promise<void>((resolve) =>
        listener.close(() => {
          isClosed = true
          resolve()
        }),
      )
      expect(listener.listening).toBe(false)
      await someTurns()
      expect(isClosed).toBe(false)
      server.end('still here')
      let text = ''
      for await (const chunk of client) text += String(chunk)
      expect(text).toBe('still here')
      server.resume()
      await closed
    }))

  it('takes no connection once it is closed', async () => {
    const server = await ground.listen({})
    await new Promise<void>((resolve) => server.close(() => resolve()))
    const client = ground.connect(server, {})
    await expect(once(client, 'connect')).rejects.toMatchObject({ code: ground.refusal })
  })

  it('closed when it does not listen, it calls back with an error', async () => {
    const server = await ground.listen({})
    await new Promise<void>((resolve) => server.close(() => resolve()))
    expect(await new Promise((resolve) => server.close(resolve))).toBeInstanceOf(Error)
  })

  it('emits an error where another one listens', async () => {
    const server = await ground.listen({})
    const second = ground.listenAgain(server)
    const error = await new Promise<Error>((resolve) => second.on('error', resolve))
    expect(error).toMatchObject({ code: expect.stringMatching(/^(EADDRINUSE|ERR_NETTS_LISTEN_FAILED)$/) })
    expect(second.listening).toBe(false)
    await closeAll(server)
  })

  it('has many connections at a time', async () => {
    const server = await ground.listen({})
    server.on('connection', (socket) => socket.pipe(socket))
    const clients = Array.from({ length: 30 }, () => ground.connect(server, {}))
    const echo = async (socket: AnySocket, text: string) => {
      socket.end(text)
      let received = ''
      for await (const chunk of socket) received += String(chunk)
      return received
    }
    const texts = clients.map((_, index) => `${index}`.repeat(1000))
    expect(await Promise.all(clients.map((client, index) => echo(client, texts[index]!)))).toEqual(texts)
    await closeAll(server)
  })
}
