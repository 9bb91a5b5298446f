/** The end of each side, in every order. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { AnySocket, Ground } from './ground.js'
import { closeOf, eventsOf, pattern, readAll, someTurns, withPair } from './pair.js'

const halfOpen = { client: { allowHalfOpen: true }, server: { allowHalfOpen: true } }

const IN_ORDER = ['finish', 'end', 'close(false)']

/** The events of the side that ends first, of which each comes once. */
function expectEndedFirst({ finishIsAcknowledged }: Ground, events: readonly string[]): void {
  const orders = finishIsAcknowledged ? [IN_ORDER, ['end', 'finish', 'close(false)']] : [IN_ORDER]
  expect(orders).toContainEqual(events)
}

export function ending(ground: Ground): void {
  it('ends both sides when one ends', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const [clientEvents, serverEvents] = [eventsOf(client), eventsOf(server)]
      client.resume()
      server.resume()
      client.end('bye')
      await Promise.all([once(client, 'close'), once(server, 'close')])
      expectEndedFirst(ground, clientEvents)
      expect(serverEvents).toEqual(['end', 'finish', 'close(false)'])
      for (const socket of [client, server]) {
        expect(socket).toMatchObject({
          destroyed: true,
          readyState: 'closed',
          readableEnded: true,
          writableFinished: true,
          errored: null,
          closed: true,
        })
      }
    }))

  it('half-closes: a service answers after the end of the question', () =>
    withPair(ground, halfOpen, async ({ client, server }) => {
      const events = eventsOf(server)
      const closed = [closeOf(client), closeOf(server)]
      const answer = readAll(client)
      client.end('question')
      expect(String(await readAll(server))).toBe('question')
      expect(client.readyState).toBe('readOnly')
      expect(server.readyState).toBe('writeOnly')
      await someTurns()
      expect(events).toEqual(['end'])
      const bytes = pattern(300_000)
      server.end(bytes)
      expect((await answer).equals(bytes)).toBe(true)
      await Promise.all(closed)
      expect(events.filter((event) => event !== 'drain')).toEqual(['end', 'finish', 'close(false)'])
    }))

  it('closes when both end at once', () =>
    withPair(ground, halfOpen, async ({ client, server }) => {
      const ends = [client, server].map((socket, index) => ({
        all: readAll(socket),
        events: eventsOf(socket),
        closed: once(socket, 'close'),
        bytes: pattern(100_000, index),
      }))
      client.end(ends[0]!.bytes)
      server.end(ends[1]!.bytes)
      expect((await ends[0]!.all).equals(ends[1]!.bytes)).toBe(true)
      expect((await ends[1]!.all).equals(ends[0]!.bytes)).toBe(true)
      for (const { closed, events } of ends) {
        expect(await closed).toEqual([false])
        expect(events.filter((event) => event !== 'drain').sort()).toEqual(['close(false)', 'end', 'finish'])
        expect(events.at(-1)).toBe('close(false)')
      }
    }))

  it('ends by itself after the peer’s end, behind what was written', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const all = readAll(client)
      const bytes = pattern(500_000)
      server.resume()
      server.on('end', () => server.end(bytes))
      client.end()
      expect((await all).equals(bytes)).toBe(true)
    }))

  it('ends once, however often it is asked', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const events = eventsOf(client)
      const all = readAll(server)
      const closed = closeOf(client)
      client.resume()
      client.end('x')
      client.end()
      client.end()
      expect(String(await all)).toBe('x')
      await closed
      await someTurns()
      expectEndedFirst(ground, events)
    }))

  it('destroySoon destroys it once everything has left', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(1 << 20)
      const all = readAll(server)
      const closed = closeOf(client)
      client.write(bytes)
      client.destroySoon()
      expect(client.destroyed).toBe(false)
      expect((await all).equals(bytes)).toBe(true)
      await closed
    }))

  it('destroyed as soon as it has finished, it loses nothing', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(3 << 20)
      const all = readAll(server)
      client.end(bytes)
      client.on('finish', () => client.destroy())
      expect((await all).equals(bytes)).toBe(true)
    }))

  it('each order of end and destroy closes each side once', async () => {
    const steps: Record<string, (socket: AnySocket) => void> = {
      end: (socket) => socket.end(),
      'end with bytes': (socket) => socket.end('x'),
      destroy: (socket) => socket.destroy(),
      destroySoon: (socket) => socket.destroySoon(),
    }
    const moments = [() => {}, () => new Promise((resolve) => setImmediate(resolve)), someTurns]
    for (const [firstName, first] of Object.entries(steps)) {
      for (const [secondName, second] of Object.entries(steps)) {
        for (const moment of moments) {
          await withPair(ground, {}, async ({ client, server }) => {
            const sides = [client, server].map((socket) => {
              socket.resume()
              return { events: eventsOf(socket), closed: closeOf(socket) }
            })
            first(client)
            await moment()
            second(server)
            // Closed over bytes that nobody will read, a socket is reset.
            const mayFail = `${firstName} ${secondName}`.includes('bytes')
            for (const { closed, events } of sides) {
              const hadError = await closed
              if (!mayFail) expect(hadError).toBe(false)
              expect(events.filter((event) => event.startsWith('close')).length).toBe(1)
              expect(events.at(-1)).toBe(`close(${hadError})`)
            }
          })
        }
      }
    }
  })
}
