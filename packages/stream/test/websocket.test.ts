/** An unmodified WebSocket chat, with ws, over each transport. */
import { once } from 'node:events'
import http from 'node:http'
import { expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createHttpAgent } from '../src/http.js'
import { createConnector, serve } from '../src/index.js'
import { pattern } from './contract/pair.js'
import { onWires } from './on-wires.js'
import type { Wire } from './wires.js'

async function openChat(wire: Wire) {
  const { client, server, address } = wire.open()
  const application = http.createServer()
  const chat = new WebSocketServer({ server: application })
  chat.on('connection', (member) => {
    member.on('message', (message, isBinary) => {
      for (const other of chat.clients) other.send(message, { binary: isBinary })
    })
  })
  const listener = await serve(application, server, address)
  const target = listener.listeningAddress!
  return {
    // The type of ws knows sockets alone; what it does with them is what any Duplex can do.
    join: () =>
      new WebSocket('ws://chat', {
        createConnection: createConnector(client, { address: target }) as never,
      }),
    joinByAgent: () =>
      new WebSocket('ws://chat', { agent: createHttpAgent(client, { connection: { address: target } }) }),
    async close() {
      for (const member of chat.clients) member.terminate()
      chat.close()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

onWires('ws', (wire) => {
  it('everybody hears everybody, in order', async () => {
    const chat = await openChat(wire)
    const members = [chat.join(), chat.joinByAgent(), chat.join()]
    await Promise.all(members.map((member) => once(member, 'open')))
    const heard = members.map((member) => {
      const texts: string[] = []
      member.on('message', (message) => texts.push(String(message)))
      return texts
    })
    for (let i = 0; i < 50; i++) members[i % 3]!.send(`${i % 3}: ${i}`)
    while (heard.some(({ length }) => length < 50)) await new Promise((resolve) => setImmediate(resolve))
    for (const texts of heard) {
      for (const speaker of ['0', '1', '2']) {
        const numbers = texts.filter((text) => text[0] === speaker).map((text) => Number(text.split(' ')[1]))
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
      }
    }
    const closed = members.map((member) => once(member, 'close'))
    for (const member of members) member.close(1000, 'bye')
    for (const [code, reason] of await Promise.all(closed)) {
      expect([code, String(reason)]).toEqual([1000, 'bye'])
    }
    await chat.close()
  })

  it('large messages come whole, and pings are answered', async () => {
    const chat = await openChat(wire)
    const member = chat.join()
    await once(member, 'open')
    const bytes = pattern(3 << 20)
    const back = once(member, 'message')
    const pong = once(member, 'pong')
    member.ping('there?')
    member.send(bytes)
    expect(String((await pong)[0])).toBe('there?')
    expect(((await back)[0] as Buffer).equals(bytes)).toBe(true)
    const closed = once(member, 'close')
    member.terminate()
    await closed
    await chat.close()
  })
})
