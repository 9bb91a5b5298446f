/** 2 GiB through a stream to a slow reader, in an emulated guest, in bounded memory. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { pipeBulk } from './bulk.js'
import { labWires } from './lab-wires.js'

for (const wire of labWires) {
  it(`2 GiB over ${wire.name} arrive as they were sent`, { timeout: 600_000 }, async () => {
    const byteLength = 2 ** 31
    const result = await pipeBulk(wire, byteLength)
    console.log(`${wire.name}: the process grew by ${result.growthBytes >> 20} MiB`)
    assert.equal(result.received, result.sent)
    assert.equal(result.byteLength, byteLength)
    assert.ok(result.growthBytes < 256 << 20)
  })
}
