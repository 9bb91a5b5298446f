/** HTTP/2 through further pipes that hold next to nothing. */
import { expect, it } from 'vitest'
import { echoAtATime } from './http2-echo.js'
import { onWires } from './on-wires.js'
import { loopbackWire, ringDriver, SMALLEST, sendRecvDriver, simulatedWire, wires } from './wires.js'

onWires(
  'http2 under load',
  (wire) => {
    it('100 streams of 256 KiB both ways at a time never block each other', async () => {
      expect(await echoAtATime(wire, 100, 256 << 10)).toBe(true)
    })
  },
  [
    ...wires,
    simulatedWire(sendRecvDriver, SMALLEST.sendRecv, 'one frame of 1 KiB'),
    loopbackWire(sendRecvDriver, SMALLEST.sendRecv, 'one frame of 1 KiB'),
    simulatedWire(ringDriver, SMALLEST.ring, 'a ring of a page, one send of 1 KiB'),
  ],
)
