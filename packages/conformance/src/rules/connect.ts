/** Connecting: addresses, failures, abort at each step, deadlines. */
import assert from 'node:assert/strict'
import { type Address, isPathAddress } from '@netts/core'
import { turn } from '../harness/deadline.js'
import { assertRejects } from '../harness/expect.js'
import type { Area } from './area.js'

const MALFORMED: readonly unknown[] = [
  undefined,
  null,
  'localhost:80',
  {},
  { host: '', port: 80 },
  { host: '127.0.0.1' },
  { host: '127.0.0.1', port: -1 },
  { host: '127.0.0.1', port: 65_536 },
  { host: '127.0.0.1', port: 1.5 },
  { host: '127.0.0.1', port: '80' },
  { path: '' },
  { path: '/tmp/a\0b' },
  { path: '/tmp/a', port: 80 },
]

export const connectRules: Area = (rule) => {
  rule('a connection carries bytes both ways', async (context) => {
    await context.checkWorks(await context.pair())
  })

  rule('both ends know both addresses', async (context) => {
    const listener = await context.listen()
    const [client, server] = await context.rawPair(listener)
    assert.deepEqual(client.remoteAddress, listener.address)
    if (isPathAddress(listener.address)) return
    assert.deepEqual(server.localAddress, listener.address)
    assert.deepEqual(server.remoteAddress, client.localAddress)
    assert.ok(!isPathAddress(client.localAddress) && client.localAddress.port > 0)
  })

  rule('a malformed address or option is refused with ERR_NETTS_INVALID_ARGUMENT', async (context) => {
    const { address } = await context.listen()
    for (const malformed of MALFORMED) {
      await assertRejects(context.builder.connect(malformed as Address), 'ERR_NETTS_INVALID_ARGUMENT')
    }
    await assertRejects(context.builder.connect({ host: '127.0.0.1', port: 0 }), 'ERR_NETTS_INVALID_ARGUMENT')
    for (const timeoutMs of [-1, 1.5, Number.NaN, 2 ** 31]) {
      await assertRejects(context.builder.connect(address, { timeoutMs }), 'ERR_NETTS_INVALID_ARGUMENT')
    }
    const signal = 'now' as unknown as AbortSignal
    await assertRejects(context.builder.connect(address, { signal }), 'ERR_NETTS_INVALID_ARGUMENT')
  })

  rule('connecting where nobody listens fails with ERR_NETTS_CONNECT_FAILED', async (context) => {
    const listener = await context.listen()
    await listener.close()
    const attempt = context.builder.connect(listener.address)
    const error = await assertRejects(context.within('connect to fail', attempt), 'ERR_NETTS_CONNECT_FAILED')
    assert.deepEqual(error.address, listener.address)
  })

  rule('an attempt whose signal is aborted before fails with ERR_NETTS_ABORTED', async (context) => {
    const { address } = await context.listen()
    const reason = new Error('changed my mind')
    const attempt = context.builder.connect(address, { signal: AbortSignal.abort(reason) })
    const error = await assertRejects(context.within('connect to abort', attempt), 'ERR_NETTS_ABORTED')
    assert.equal(error.cause, reason)
  })

  rule('an attempt may be aborted at each step, and leaves nothing behind', async (context) => {
    const listener = await context.listen()
    for (let turns = 0; turns < 12; turns++) {
      const controller = new AbortController()
      const attempt = context.builder.connect(listener.address, { signal: controller.signal })
      const outcome = attempt.then(
        (transport) => context.own(transport),
        (error: unknown) => ({ error }),
      )
      for (let i = 0; i < turns; i++) await turn()
      controller.abort()
      const result = await context.within('the aborted attempt to settle', outcome)
      if ('error' in result && !('state' in result)) {
        await assertRejects(attempt, 'ERR_NETTS_ABORTED')
      } else {
        assert.ok(turns > 0, 'aborted in the turn of the call, and connected nevertheless')
        result.destroy()
      }
    }
    // The listener may hold connections of the aborted attempts; a later client must still be served.
    const client = context.clientEnd(await context.connect(listener.address))
    await client.send(1)
    for (;;) {
      const server = context.serverEnd(await context.accept(listener))
      if (await server.firstByte()) break
    }
  })

  rule("aborting an established connection's signal does nothing", async (context) => {
    const listener = await context.listen()
    const controller = new AbortController()
    const [client, server] = await Promise.all([
      context.connect(listener.address, { signal: controller.signal }),
      context.accept(listener),
    ])
    controller.abort()
    await context.checkWorks({ client: context.clientEnd(client), server: context.serverEnd(server) })
  })

  rule('an attempt that nobody answers ends by its deadline or its signal', async (context) => {
    const address = await context.fixture.silentAddress?.()
    if (!address) return context.skip('the fixture has no silentAddress')
    const late = context.builder.connect(address, { timeoutMs: 50 })
    const error = await assertRejects(context.within('the deadline', late), 'ERR_NETTS_TIMEOUT')
    assert.deepEqual(error.address, address)
    const controller = new AbortController()
    const attempt = context.builder.connect(address, { signal: controller.signal })
    setTimeout(() => controller.abort(), 10)
    await assertRejects(context.within('the abort', attempt), 'ERR_NETTS_ABORTED')
  })

  rule('one builder makes any number of connections at the same time', async (context) => {
    const listener = await context.listen()
    const pairs = await Promise.all(Array.from({ length: 8 }, () => context.rawPair(listener)))
    // A listener may accept in any order: a byte identifies the client.
    await Promise.all(
      pairs.map(async ([client], index) => {
        await context.eventually('a send', () => client.sendCopy(Uint8Array.of(index)) === 1)
      }),
    )
    const seen = new Set<number>()
    for (const [, server] of pairs) {
      const end = context.serverEnd(server)
      const out = [{ chunkIndex: -1, byteLength: -1 }]
      await end.until('a byte', () => (end.transport.pollRecv(out) > 0 ? true : undefined))
      seen.add(end.transport.recvBuf(out[0]!.chunkIndex)[0]!)
      end.transport.repostRecv(out[0]!.chunkIndex)
    }
    assert.equal(seen.size, 8)
  })
}
