/** A peer process that crashes: it is detected where the wire can, and does no harm on any wire. */
import assert from 'node:assert/strict'
import type { Context } from '../harness/context.js'
import type { Endpoint } from '../harness/endpoint.js'
import { assertCode } from '../harness/expect.js'
import type { CrashablePeer } from '../options.js'
import type { Area } from './area.js'

/** A connection with a crashable peer, which plays the role given. */
async function crashable(
  context: Context,
  role: 'connect' | 'listen',
  byteLength: number,
): Promise<{ end: Endpoint; peer: CrashablePeer }> {
  const { fixture } = context
  if (!fixture.startCrashablePeer) return context.skip('the fixture has no startCrashablePeer')
  if (role === 'connect') {
    const listener = await context.listen()
    const peer = await fixture.startCrashablePeer({ role, address: listener.address, byteLength })
    return { end: context.serverEnd(await context.accept(listener)), peer }
  }
  const peer = await fixture.startCrashablePeer({ role, address: fixture.listenAddress(), byteLength })
  assert.ok(peer.address, 'a crashable peer that listens must tell its address')
  return { end: context.clientEnd(await context.connect(peer.address)), peer }
}

export const crashRules: Area = (rule, settings) => {
  const checkOutcome = (end: Endpoint) => {
    const { error } = end.transport
    if (settings.capabilities.detectsPeerCrash) {
      assertCode(error, 'ERR_NETTS_PEER_LOST', 'ERR_NETTS_RESET')
      assert.equal(end.transport.recvEnded, false, 'a crash is not the end that finish says')
    } else if (error) {
      assertCode(error, 'ERR_NETTS_PEER_LOST', 'ERR_NETTS_RESET')
    }
  }

  for (const role of ['connect', 'listen'] as const) {
    const who = role === 'connect' ? 'client' : 'server'

    rule(`a ${who} that crashes while idle ends the connection`, async (context) => {
      const setting = await crashable(context, role, 0)
      await setting.peer.crash()
      await setting.end.ended()
      checkOutcome(setting.end)
    })

    rule(`what a ${who} sent before it crashed arrives first`, async (context) => {
      const byteLength = 20_000
      const setting = await crashable(context, role, byteLength)
      const { end, peer } = setting
      await end.receiveTo(byteLength)
      await peer.crash()
      await end.ended()
      assert.equal(end.received, byteLength)
      checkOutcome(end)
    })

    rule(`a ${who} that crashes with sends under way fails them, and nothing leaks`, async (context) => {
      const setting = await crashable(context, role, 0)
      const { end, peer } = setting
      // The peer does not read, so sends are queued until there is no capacity.
      const sending = end.send(2 ** 40, 'sendBuffer').catch((error: unknown) => error)
      await peer.crash()
      assert.ok((await sending) instanceof assert.AssertionError)
      await end.closed()
      assertCode(end.transport.error, 'ERR_NETTS_PEER_LOST', 'ERR_NETTS_RESET')
      assert.equal(end.transport.sendCopy(Uint8Array.of(1)), 0)
      assert.equal(end.transport.sendsInFlight, 0)
    })
  }

  rule('a crash leaves other connections of the listener alone', async (context) => {
    if (!context.fixture.startCrashablePeer) return context.skip('the fixture has no startCrashablePeer')
    const listener = await context.listen()
    const other = await context.pair(listener)
    const peer = await context.fixture.startCrashablePeer({
      role: 'connect',
      address: listener.address,
      byteLength: 100,
    })
    const end = context.serverEnd(await context.accept(listener))
    await end.receiveTo(100)
    await peer.crash()
    await end.ended()
    await context.checkWorks(other)
    await context.checkWorks(await context.pair(listener))
  })
}
