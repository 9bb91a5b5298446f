/** `capabilities`: the claims of a driver are complete and its limits plausible. Other areas test that they are true. */
import assert from 'node:assert/strict'
import type { Area } from './area.js'

export const capabilityRules: Area = (rule, settings) => {
  rule('both ends claim exactly what the manifest says', async (context) => {
    for (const transport of await context.rawPair()) {
      assert.deepEqual({ ...transport.capabilities }, { ...settings.capabilities })
    }
  })

  if (settings.capabilities.detectsPeerCrash) {
    rule('a driver that claims to detect crashes can be shown one', async (context) => {
      assert.ok(context.fixture.startCrashablePeer, 'the fixture has no startCrashablePeer')
    })
  }

  rule('a new transport is open, working, and has limits that make sense', async (context) => {
    for (const transport of await context.rawPair()) {
      assert.equal(transport.state, 'open')
      assert.equal(transport.error, undefined)
      assert.equal(transport.pollDisconnect(), false)
      assert.equal(transport.recvEnded, false)
      assert.equal(transport.sendsInFlight, 0)
      assert.equal(transport.waker, undefined)
      const { maxSendSize, recvWindow, bufferPool } = transport
      assert.ok(Number.isInteger(maxSendSize) && maxSendSize >= 1024, `maxSendSize ${maxSendSize}`)
      assert.ok(Number.isInteger(recvWindow) && recvWindow >= 1024, `recvWindow ${recvWindow}`)
      assert.equal(typeof bufferPool.domain, 'symbol')
    }
    assert.equal(typeof context.builder.name, 'string')
  })
}
