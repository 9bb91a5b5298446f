/** 2 GiB through a stream to a slow reader, in bounded memory. */
import { expect, it } from 'vitest'
import { pipeBulk } from './bulk.js'
import { onWires } from './on-wires.js'

onWires('2 GiB', (wire) => {
  it('arrive as they were sent, in bounded memory', async () => {
    const byteLength = 2 ** 31
    const result = await pipeBulk(wire, byteLength)
    console.log(`${wire.name}: the process grew by ${result.growthBytes >> 20} MiB`)
    expect(result.received).toBe(result.sent)
    expect(result.byteLength).toBe(byteLength)
    expect(result.growthBytes).toBeLessThan(256 << 20)
  })
})
