/** A device that goes and comes back: what was on it ends and is given back, and the device works again. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { listenForMessengers, messengerOf, messengerOptions } from '../../test/endpoint-suite/messenger.js'
import { labDevices } from '../../test/lab/devices.js'
import { benchOn } from '../../test/lab/scenarios.js'
import { connectEndpoint } from '../endpoint/connector.js'

// Only a guest's devices are ours to take away.
const skip = process.env.NETTS_LAB === 'guest' ? false : 'these devices are not ours'

for (const device of labDevices()) {
  it(`${device.name} goes and comes back`, { skip, timeout: 120_000 }, async () => {
    const { name, type, netdev, address: host } = device
    const { client: verbs } = benchOn(device)
    const options = messengerOptions('event')
    const use = async () => {
      const { promise: failed, resolve: onFailure } = withResolvers<Error>()
      const { listener, accept, address } = listenForMessengers(verbs, host, options, { onFailure })
      const [near, far] = await Promise.all([connectEndpoint(verbs, address, options), accept()])
      messengerOf(near).send('hello')
      assert.deepEqual(await messengerOf(far).messages(1), ['hello'])
      return { listener, near, far, failed }
    }
    const first = await use()
    // The kernel waits for those who have the device open.
    const deleted = promisify(execFile)('rdma', ['link', 'delete', name], { timeout: 60_000 })
    const error = await first.failed
    assert.match(error.message, /removed/)
    await Promise.all([messengerOf(first.near).closed, messengerOf(first.far).closed])
    await deleted
    assert.equal(verbs.pinnedBytes, 0)
    assert(Object.values(verbs.counts).every((count) => count === 0))
    assert(!verbs.devices().some((found) => found.name === name))

    execFileSync('rdma', ['link', 'add', name, 'type', type, 'netdev', netdev])
    const again = await use()
    assert.notEqual(again.near.device, first.near.device)
    again.near.close()
    await Promise.all([messengerOf(again.near).closed, messengerOf(again.far).closed])
    again.listener.close()
    verbs.close()
  })
}

function withResolvers<T>() {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((resolvePromise) => {
    resolve = resolvePromise
  })
  return { promise, resolve }
}
