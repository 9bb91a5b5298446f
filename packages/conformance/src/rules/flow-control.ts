/** Backpressure: bounded memory, no stall within the receive window, and progress beyond it as soon as the peer reads. */
import assert from 'node:assert/strict'
import { meanwhile, pause, turn } from '../harness/deadline.js'
import type { Endpoint, HeldChunk } from '../harness/endpoint.js'
import type { Area } from './area.js'

export const flowControlRules: Area = (rule, settings) => {
  const mostBuffered = (end: Endpoint) => end.transport.recvWindow + settings.bufferedByteLength

  rule('a writer is refused while its reader does not read, and goes on when it does', async (context) => {
    const { client, server } = await context.pair()
    await client.sendUntilStuck(mostBuffered(server))
    // Computed before the send, which may accept some bytes at once.
    const total = client.sent + client.transport.maxSendSize * 4
    const writing = meanwhile(client.send(client.transport.maxSendSize * 4))
    await server.receiveTo(total)
    await writing
    client.transport.finish()
    await server.receiveToEnd()
  })

  rule(
    'no more than recvWindow bytes are handed out unreleased, and a release brings more',
    async (context) => {
      const { client, server } = await context.pair()
      const held: HeldChunk[] = []
      await client.sendUntilStuck(mostBuffered(server), () => held.push(...server.take()))
      const stuckAt = client.sent
      const total = stuckAt + client.transport.maxSendSize
      const writing = meanwhile(client.send(total - stuckAt))
      while (server.received < total) {
        await server.until('a chunk after releases', () => {
          const chunks = server.take()
          held.push(...chunks)
          if (chunks.length > 0) return true
          for (const chunk of held.splice(0)) server.release(chunk)
          return undefined
        })
      }
      await writing
      for (const chunk of held) server.release(chunk)
    },
  )

  rule('a slow reader gets everything, and bounds what its writer may have under way', async (context) => {
    const { client, server } = await context.pair()
    const bulk = settings.bulkByteLength
    const bound = mostBuffered(server)
    const reading = (async () => {
      while (server.received < bulk) {
        await server.until('a chunk', () => {
          const [chunk] = server.take(1)
          if (chunk) server.release(chunk)
          return chunk && true
        })
        assert.ok(client.sent - server.received <= bound, `${client.sent - server.received} bytes under way`)
        await turn()
      }
    })()
    await Promise.all([client.send(bulk), reading])
  })

  rule('both sides sending recvWindow bytes before either receives never stall', async (context) => {
    const { client, server } = await context.pair()
    for (let round = 0; round < 4; round++) {
      await Promise.all([client.send(server.transport.recvWindow), server.send(client.transport.recvWindow)])
      await Promise.all([client.receiveTo(server.sent), server.receiveTo(client.sent)])
    }
  })

  rule('beyond it both wait, timers still fire, and one side receiving frees the other', async (context) => {
    const { client, server } = await context.pair()
    const most = Math.max(mostBuffered(client), mostBuffered(server))
    // The last chunks of one side may have carried credits that let the other send more.
    for (let before = -1; before !== client.sent + server.sent; ) {
      before = client.sent + server.sent
      await Promise.all([client.sendUntilStuck(most), server.sendUntilStuck(most)])
    }
    let done = 0
    const pending = [client, server].map((end) => {
      const sending = end.send(end.transport.maxSendSize).then(() => {
        done++
      })
      return meanwhile(sending)
    })
    await context.within('a timer', pause(10))
    assert.equal(done, 0, 'sides that could send although nobody received')
    // The client receives; the server does not, but gets its send accepted.
    const target = server.sent + server.transport.maxSendSize
    await client.receiveTo(Math.min(target, client.received + client.transport.recvWindow))
    const reading = meanwhile(client.receiveTo(target))
    await context.within('the server to send', pending[1]!)
    assert.equal(server.received, 0)
    await Promise.all([reading, server.receiveTo(client.sent + client.transport.maxSendSize), ...pending])
  })

  rule('timers fire although both ends answer each other as fast as they can', async (context) => {
    const { client, server } = await context.pair()
    let hasFired = false
    const timer = setTimeout(() => {
      hasFired = true
    }, 5)
    const lateMs = performance.now() + settings.deadlineMs
    while (!hasFired) {
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        await from.until('capacity', () => from.trySend(1) || undefined)
        await to.until('a byte', () => to.takeAndRelease() || undefined)
      }
      // Checked here, since a deadline by timer would not fire either.
      assert.ok(performance.now() < lateMs, 'the event loop is starved')
    }
    clearTimeout(timer)
  })

  rule('a stuck connection does not hold up another one', async (context) => {
    const listener = await context.listen()
    const stuck = await context.pair(listener)
    await stuck.client.sendUntilStuck(mostBuffered(stuck.server))
    const other = await context.pair(listener)
    await Promise.all([
      other.client.send(settings.bulkByteLength / 4),
      other.server.receiveTo(settings.bulkByteLength / 4),
    ])
    await stuck.server.receiveTo(stuck.client.sent)
  })
}
