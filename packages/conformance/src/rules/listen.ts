/** Listening and accepting: order, cancelling, closing, the backlog. */
import assert from 'node:assert/strict'
import { type Address, isPathAddress, type Transport } from '@netts/core'
import type { Context } from '../harness/context.js'
import { meanwhile, pause } from '../harness/deadline.js'
import { assertRejects } from '../harness/expect.js'
import type { Area } from './area.js'

export const listenRules: Area = (rule) => {
  rule('a malformed address or backlog is refused with ERR_NETTS_INVALID_ARGUMENT', async (context) => {
    for (const malformed of [undefined, {}, { host: 'x', port: 70_000 }, { path: '' }]) {
      await assertRejects(context.listenBuilder.listen(malformed as Address), 'ERR_NETTS_INVALID_ARGUMENT')
    }
    for (const backlog of [-1, 0.5, Number.NaN]) {
      const attempt = context.listenBuilder.listen(context.fixture.listenAddress(), { backlog })
      await assertRejects(attempt, 'ERR_NETTS_INVALID_ARGUMENT')
    }
  })

  rule('port 0 becomes the port that was chosen', async (context) => {
    const listener = await context.listen()
    if (!isPathAddress(listener.address)) assert.ok(listener.address.port > 0)
  })

  rule(
    'listening where somebody listens fails with ERR_NETTS_LISTEN_FAILED, and harms nobody',
    async (context) => {
      const listener = await context.listen()
      const second = context.listenBuilder.listen(listener.address)
      const error = await assertRejects(context.within('listen to fail', second), 'ERR_NETTS_LISTEN_FAILED')
      assert.deepEqual(error.address, listener.address)
      await context.checkWorks(await context.pair(listener))
    },
  )

  rule('connections are accepted in the order in which they were established', async (context) => {
    const listener = await context.listen()
    for (let i = 0; i < 5; i++) await connectAndSay(context, listener.address, i)
    for (let i = 0; i < 5; i++) assert.equal(await heard(context, await context.accept(listener)), i)
  })

  rule('waiting accepts are served in the order of the calls', async (context) => {
    const listener = await context.listen()
    const accepts = Array.from({ length: 5 }, () => meanwhile(context.accept(listener)))
    for (let i = 0; i < 5; i++) {
      await connectAndSay(context, listener.address, i)
      assert.equal(await heard(context, await accepts[i]!), i)
    }
  })

  rule('cancelling an accept loses no connection', async (context) => {
    const listener = await context.listen()
    const reason = new Error('not now')
    const controller = new AbortController()
    const cancelled = listener.accept({ signal: controller.signal })
    controller.abort(reason)
    const error = await assertRejects(context.within('the cancelled accept', cancelled), 'ERR_NETTS_ABORTED')
    assert.equal(error.cause, reason)
    await assertRejects(listener.accept({ signal: AbortSignal.abort() }), 'ERR_NETTS_ABORTED')
    await context.checkWorks(await context.pair(listener))
  })

  rule('closing resolves waiting and later accepts to undefined, and ends iteration', async (context) => {
    const listener = await context.listen()
    const accepts = [listener.accept(), listener.accept()]
    const iteration = meanwhile(
      (async () => {
        for await (const transport of listener) context.own(transport)
      })(),
    )
    await context.within('close', listener.close())
    assert.deepEqual(await context.within('the accepts', Promise.all(accepts)), [undefined, undefined])
    await context.within('the iteration to end', iteration)
    assert.equal(await context.within('a later accept', listener.accept()), undefined)
    await context.within('a second close', listener.close())
    await context.within('disposal', listener[Symbol.asyncDispose]())
  })

  rule('iterating accepts until the listener is closed', async (context) => {
    const listener = await context.listen()
    const accepted: Transport[] = []
    const iteration = meanwhile(
      (async () => {
        for await (const transport of listener) accepted.push(context.own(transport))
      })(),
    )
    for (let i = 0; i < 3; i++) await context.connect(listener.address)
    await context.eventually('three accepted connections', () => accepted.length === 3)
    await listener.close()
    await context.within('the iteration to end', iteration)
  })

  rule('closing destroys connections that nobody accepted; accepted ones live on', async (context) => {
    const listener = await context.listen()
    const accepted = await context.pair(listener)
    const forgotten = context.clientEnd(await context.connect(listener.address))
    await context.within('close', listener.close())
    await forgotten.ended()
    await context.checkWorks(accepted)
  })

  rule('an address can be listened on again after the listener closed', async (context) => {
    const first = await context.listen()
    const { client } = await context.pair(first)
    await first.close()
    client.transport.destroy()
    const again = first.address
    // Some kernels free a port a little later.
    await context.eventually('the address to be free again', async () => {
      try {
        await context.checkWorks(await context.pair(await context.listen({}, again)))
        return true
      } catch (error) {
        if ((error as { code?: string }).code === 'ERR_NETTS_LISTEN_FAILED') return false
        throw error
      }
    })
  })

  rule('no more than the backlog wait to be accepted; further ones are turned away', async (context) => {
    const listener = await context.listen({ backlog: 2 })
    const attempts: Promise<Transport | undefined>[] = []
    for (let i = 0; i < 6; i++) {
      const attempt = context.builder.connect(listener.address).then(
        (transport) => context.own(transport),
        () => undefined,
      )
      attempts.push(attempt)
      // Some wires accept the connection first, and refuse it by closing it.
      await Promise.race([attempt, pause(100)])
    }
    const clients = await context.within('every attempt to settle', Promise.all(attempts))
    const served = clients.map((transport) => transport && context.clientEnd(transport).firstByte())
    await pause(100)
    for (let i = 0; i < 2; i++) {
      const server = context.serverEnd(await context.accept(listener))
      await server.send(1)
    }
    const outcomes = await context.within('every client to be served or turned away', Promise.all(served))
    assert.equal(outcomes.filter(Boolean).length, 2, 'clients that were served')
    await context.checkWorks(await context.pair(listener))
  })

  rule('a client that goes away before it is accepted fails no accept', async (context) => {
    const listener = await context.listen()
    const gone = await context.connect(listener.address)
    gone.destroy()
    await pause()
    const client = context.clientEnd(await context.connect(listener.address))
    await client.send(1)
    for (;;) {
      const server = context.serverEnd(await context.accept(listener))
      if (await server.firstByte()) break
    }
  })
}

async function connectAndSay(context: Context, address: Address, value: number): Promise<void> {
  const transport = await context.connect(address)
  await context.eventually('a byte to be accepted', () => transport.sendCopy(Uint8Array.of(value)) === 1)
}

async function heard(context: Context, transport: Transport): Promise<number | undefined> {
  const out = [{ chunkIndex: -1, byteLength: -1 }]
  await context.eventually('a byte', () => transport.pollRecv(out) === 1)
  const value = transport.recvBuf(out[0]!.chunkIndex)[0]
  transport.repostRecv(out[0]!.chunkIndex)
  return value
}
