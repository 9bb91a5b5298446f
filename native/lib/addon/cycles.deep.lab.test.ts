/** A thousand connections one after the other leave nothing behind. */
import { it } from 'node:test'
import { cycles } from '../../test/lab/cycles.js'
import { labDevices } from '../../test/lab/devices.js'

for (const device of labDevices()) {
  it(`connects, transfers and closes on ${device.name}, 1000 times`, { timeout: 400_000 }, () =>
    cycles(device, 1000),
  )
}
