/** The event `timeout`. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { Ground } from './ground.js'
import { eventsOf, someTurns, withPair } from './pair.js'

export function timeouts(ground: Ground): void {
  it('emits timeout when it is idle, and does nothing else', () =>
    withPair(ground, {}, async ({ client }) => {
      const events = eventsOf(client)
      expect(client.timeout ?? 0).toBe(0)
      expect(client.setTimeout(20)).toBe(client)
      expect(client.timeout).toBe(20)
      await once(client, 'timeout')
      expect(client).toMatchObject({ destroyed: false, readyState: 'open' })
      await someTurns()
      // Once, until there is activity.
      expect(events).toEqual(['timeout'])
    }))

  it('counts anew after activity', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const events = eventsOf(client)
      client.setTimeout(20)
      client.resume()
      await once(client, 'timeout')
      server.write('awake')
      await once(client, 'timeout')
      client.write('awake too')
      await once(client, 'timeout')
      expect(events).toEqual(['timeout', 'timeout', 'timeout'])
    }))

  it('calls back once, and not once it is stopped', () =>
    withPair(ground, {}, async ({ client }) => {
      let calls = 0
      const onTimeout = () => calls++
      client.setTimeout(10, onTimeout)
      await once(client, 'timeout')
      client.write('activity')
      await once(client, 'timeout')
      expect(calls).toBe(1)
      client.setTimeout(10, onTimeout)
      client.setTimeout(0, onTimeout)
      expect(client.timeout).toBe(0)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(calls).toBe(1)
    }))

  it('is silent once destroyed', () =>
    withPair(ground, {}, async ({ client }) => {
      const events = eventsOf(client)
      client.setTimeout(10)
      client.destroy()
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(events).toEqual(['close(false)'])
    }))

  it('refuses a time or a callback that is none', () =>
    withPair(ground, {}, async ({ client }) => {
      expect(() => client.setTimeout(-1)).toThrow()
      expect(() => client.setTimeout(Number.NaN)).toThrow()
      expect(() => client.setTimeout('5' as never)).toThrow()
      expect(() => client.setTimeout(5, 'x' as never)).toThrow()
    }))
}
