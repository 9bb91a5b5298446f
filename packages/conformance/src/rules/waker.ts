/** The rules of the waker, one test for each cause of a call. */
import assert from 'node:assert/strict'
import { NettsError, type Transport } from '@netts/core'
import type { Context } from '../harness/context.js'
import { pause } from '../harness/deadline.js'
import { completions } from '../harness/endpoint.js'
import type { Area } from './area.js'

/** A raw transport whose calls of the waker are counted. */
function counted(transport: Transport): { readonly calls: number } {
  const counter = { calls: 0 }
  transport.waker = () => {
    counter.calls++
  }
  return counter
}

/** Runs `cause`, and waits until the waker is called after it. */
async function wakes(
  context: Context,
  transport: Transport,
  what: string,
  prepare: () => void | Promise<void>,
  cause: () => void | Promise<void>,
): Promise<void> {
  const counter = counted(transport)
  // Wait for the calls due to earlier events.
  await pause(5)
  await prepare()
  const before = counter.calls
  await cause()
  await context.eventually(`the waker after ${what}`, () => counter.calls > before)
}

export const wakerRules: Area = (rule, settings) => {
  const empty = (transport: Transport) => () => {
    const out = completions(1)
    while (transport.pollRecv(out) > 0) transport.repostRecv(out[0]!.chunkIndex)
  }

  rule('the waker is called when data arrived after an empty poll', async (context) => {
    const [client, server] = await context.rawPair()
    for (let i = 0; i < 5; i++) {
      await wakes(context, server, 'data', empty(server), async () => {
        await context.eventually('a send', () => client.sendCopy(Uint8Array.of(1)) > 0)
      })
    }
  })

  rule('the waker is called when a send completed', async (context) => {
    const { client, server } = await context.pair()
    const { transport } = client
    const before = () => client.guard.wakes
    for (let i = 0; i < 5; i++) {
      await client.send(1000)
      const woken = before()
      if (transport.pollSendCompletion() === 0) {
        await context.eventually('the waker after a completion', () => before() > woken)
      }
      await client.completions()
      await server.receiveTo(client.sent)
    }
  })

  rule('the waker is called when there is capacity again after a refused send', async (context) => {
    const { client, server } = await context.pair()
    const most = server.transport.recvWindow + settings.bufferedByteLength
    await client.sendUntilStuck(most)
    // Only the last refusal counts: the waker may already have been called for earlier ones.
    let before = client.guard.wakes
    while (client.sendUntilRefused(most + 1 - client.sent) > 0) before = client.guard.wakes
    await server.receiveTo(client.sent)
    await context.eventually('the waker after releases', () => client.guard.wakes > before)
    await client.send(1)
    await server.receiveTo(client.sent)
  })

  rule('the waker is called when the peer finished', async (context) => {
    const [client, server] = await context.rawPair()
    await wakes(context, server, 'the end', empty(server), () => client.finish())
    assert.equal(server.pollRecv(completions(1)), 0)
    assert.equal(server.recvEnded, true)
  })

  rule('the waker is called when both directions ended', async (context) => {
    const [client, server] = await context.rawPair()
    client.finish()
    const waiting = context.eventually('the end', () => {
      server.pollRecv(completions(1))
      return server.recvEnded
    })
    await waiting
    await wakes(
      context,
      client,
      'the end of both directions',
      () => assert.equal(client.pollDisconnect(), false),
      () => server.finish(),
    )
    await context.eventually('the client to be closed', () => client.pollDisconnect())
  })

  rule('the waker is called when the connection failed', async (context) => {
    const [client, server] = await context.rawPair()
    await wakes(context, server, 'the failure', empty(server), () => client.destroy())
  })

  rule('the waker is called when this side destroyed the transport', async (context) => {
    const [client] = await context.rawPair()
    await wakes(
      context,
      client,
      'destroy',
      () => assert.equal(client.pollDisconnect(), false),
      () => client.destroy(),
    )
  })

  rule('the waker is called when a disconnect is done', async (context) => {
    const [client, server] = await context.rawPair()
    await wakes(
      context,
      client,
      'the disconnect',
      () => client.disconnect(),
      () => server.disconnect(),
    )
    await context.eventually('both to be closed', () => client.pollDisconnect() && server.pollDisconnect())
  })

  rule('the waker is never called from inside a method', async (context) => {
    const [client, server] = await context.rawPair()
    let inside = ''
    const offences: string[] = []
    const during = <T>(name: string, call: () => T): T => {
      inside = name
      try {
        return call()
      } finally {
        inside = ''
      }
    }
    const arm = (transport: Transport) => {
      during('waker =', () => {
        transport.waker = () => {
          if (inside) offences.push(inside)
        }
      })
    }
    arm(client)
    arm(server)
    const out = completions(1)
    for (let i = 0; i < 10; i++) {
      during('sendCopy', () => client.sendCopy(Buffer.alloc(100, i)))
      during('sendGather', () => server.sendGather([Buffer.alloc(100, i)]))
      await pause(1)
      // Assign the waker again while events are pending.
      arm(client)
      arm(server)
      for (const transport of [client, server]) {
        while (during('pollRecv', () => transport.pollRecv(out)) > 0) {
          during('repostRecv', () => transport.repostRecv(out[0]!.chunkIndex))
        }
        during('pollSendCompletion', () => transport.pollSendCompletion())
        during('pollDisconnect', () => transport.pollDisconnect())
      }
    }
    during('finish', () => client.finish())
    await pause(5)
    during('disconnect', () => server.disconnect())
    await pause(5)
    during('destroy', () => client.destroy())
    during('destroy', () => server.destroy())
    await pause(5)
    assert.deepEqual(offences, [])
  })

  rule('assigning a waker while something is pending schedules a call', async (context) => {
    const [client, server] = await context.rawPair()
    await context.eventually('a send', () => client.sendCopy(Uint8Array.of(1)) > 0)
    await pause(50)
    const first = counted(server)
    assert.equal(first.calls, 0)
    await context.eventually('the waker assigned late', () => first.calls > 0)
    // The same after a waker was removed and another is assigned.
    empty(server)()
    server.waker = undefined
    await context.eventually('a send', () => client.sendCopy(Uint8Array.of(2)) > 0)
    await pause(50)
    const second = counted(server)
    await context.eventually('the waker assigned again', () => second.calls > 0)
  })

  rule('a waker that was taken away is not called any more', async (context) => {
    const [client, server] = await context.rawPair()
    const old = counted(server)
    server.waker = undefined
    const callsBefore = old.calls
    await context.eventually('a send', () => client.sendCopy(Uint8Array.of(1)) > 0)
    const fresh = counted(server)
    await context.eventually('the new waker', () => fresh.calls > 0)
    assert.equal(old.calls, callsBefore)
  })

  rule('a waker may call any method, destroy included', async (context) => {
    for (const method of ['finish', 'disconnect', 'destroy'] as const) {
      const [client, server] = await context.rawPair()
      let called = 0
      server.waker = () => {
        called++
        const out = completions(1)
        while (server.pollRecv(out) > 0) server.repostRecv(out[0]!.chunkIndex)
        server.pollSendCompletion()
        server.pollDisconnect()
        if (called === 1) server.sendCopy(Uint8Array.of(1))
        server[method]()
      }
      client.waker = () => {
        const out = completions(1)
        while (client.pollRecv(out) > 0) client.repostRecv(out[0]!.chunkIndex)
        if (client.recvEnded) client.disconnect()
      }
      await context.eventually('a send', () => client.sendCopy(Uint8Array.of(1)) > 0)
      await context.eventually(`both ends to close after ${method}`, () => {
        client.pollRecv([])
        if (method === 'finish' && client.pollDisconnect()) return true
        return client.pollDisconnect() && server.pollDisconnect()
      })
    }
  })

  rule('a waker that destroys with an error leaves that error', async (context) => {
    const [client, server] = await context.rawPair()
    const error = new NettsError('ERR_NETTS_PROTOCOL', 'made up')
    server.waker = () => server.destroy(error)
    await context.eventually('a send', () => client.sendCopy(Uint8Array.of(1)) > 0)
    await context.eventually('the server to be closed', () => server.pollDisconnect())
    assert.equal(server.error, error)
  })
}
