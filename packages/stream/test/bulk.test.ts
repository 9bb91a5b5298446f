/** A fixed share of many bytes: all of them are piped in `bulk.deep.test.ts`. */
import { expect, it } from 'vitest'
import { pipeBulk } from './bulk.js'
import { onWires } from './on-wires.js'

onWires('256 MiB', (wire) => {
  it('arrive as they were sent, in bounded memory', async () => {
    const byteLength = 256 << 20
    const result = await pipeBulk(wire, byteLength)
    expect(result.received).toBe(result.sent)
    expect(result.byteLength).toBe(byteLength)
    // Less than was sent, by far: most of it is what the collector has not freed yet.
    expect(result.growthBytes).toBeLessThan(160 << 20)
  })
})
