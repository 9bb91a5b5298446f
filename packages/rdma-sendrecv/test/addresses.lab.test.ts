/** Addresses that RDMA cannot use: what a stranger is told. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NettsError } from '@netts/core'
import { labDevices } from '@netts/rdma-suite/lab-devices'
import { sendRecv } from '../src/index.js'

const failure = (promise: Promise<unknown>): Promise<NettsError> =>
  promise.then(
    () => assert.fail('it connected'),
    (error) => error as NettsError,
  )

describe('addresses', () => {
  it('127.0.0.1 is refused with the reason and what to use instead', { timeout: 60_000 }, async () => {
    const listener = await sendRecv().listen({ host: '0.0.0.0', port: 0 })
    const { port } = listener.address as { port: number }
    const error = await failure(sendRecv().connect({ host: '127.0.0.1', port }))
    assert.equal(error.code, 'ERR_NETTS_CONNECT_FAILED')
    assert.match(error.message, /127\.0\.0\.1/)
    assert.match(error.message, /address of (the|an) RDMA interface/)
    await listener.close()
  })

  for (const { name, address } of labDevices()) {
    it(`a listener on 0.0.0.0 is reached at the address of ${name}`, { timeout: 60_000 }, async () => {
      const listener = await sendRecv().listen({ host: '0.0.0.0', port: 0 })
      const { port } = listener.address as { port: number }
      const [near, far] = await Promise.all([sendRecv().connect({ host: address, port }), listener.accept()])
      assert.equal(near.remoteAddress.host, address)
      near.destroy()
      far?.destroy()
      await listener.close()
    })
  }
})
