/** Events of a device itself: its port goes down and comes up with the network interface. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { it } from 'node:test'
import { labDevices } from '../../test/lab/devices.js'
import type { DeviceEvent } from '../verbs/device.js'
import { openVerbs } from './open-verbs.js'

// Only a guest's interfaces are ours to take down.
const skip = process.env.NETTS_LAB === 'guest' ? false : 'these devices are not ours'

for (const { name, netdev } of labDevices()) {
  it(`the port of ${name} goes down and up with its interface`, { skip, timeout: 30_000 }, async () => {
    using verbs = openVerbs()
    const device = verbs.devices().find((candidate) => candidate.name === name)
    assert(device)
    const next = (type: DeviceEvent['type'], act: () => void) =>
      new Promise<DeviceEvent>((resolve) => {
        device.onEvent = (event) => {
          if (event.type === type) resolve(event)
        }
        act()
      })
    // Nothing of a device keeps the process alive.
    const alive = setInterval(() => {}, 1000)
    const set = (state: string) => () => execFileSync('ip', ['link', 'set', netdev, state])

    const down = await next('port-error', set('down'))
    assert.equal(down.name, 'IBV_EVENT_PORT_ERR')
    assert.equal(down.portNumber, 1)
    assert.equal(device.ports()[0]?.state, 'down')
    const up = await next('port-active', set('up'))
    assert.equal(up.portNumber, 1)
    assert.equal(device.ports()[0]?.state, 'active')
    clearInterval(alive)
  })
}
