/** Sends bytes of another realm, as a `vm` context makes them. */
import assert from 'node:assert/strict'
import { createContext, runInContext } from 'node:vm'
import { connect, listen } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { tcp } from '@netts/tcp'

const realm = createContext({})
const make = runInContext('(byteLength) => new Uint8Array(byteLength).fill(7)', realm)
assert(!(make(1) instanceof Uint8Array))

for (const builder of [tcp(), createMockNetwork().builder()]) {
  const server = await listen(builder, { host: '127.0.0.1', port: 0 })
  const client = await connect(builder, server.address)
  const accepted = await server.accept()
  for (const byteLength of [10, 5_000, 300_000, 3_000_000]) {
    const [received] = await Promise.all([accepted.recv(), client.send(make(byteLength))])
    assert.equal(Buffer.compare(received, Buffer.alloc(byteLength, 7)), 0)
    while (!client.trySend(make(10))) await client.flush()
    assert.equal((await accepted.recv()).byteLength, 10)
  }
  await Promise.all([client.close(), accepted.close(), server.close()])
  assert.equal(await client.closed, undefined)
}
console.log('done')
