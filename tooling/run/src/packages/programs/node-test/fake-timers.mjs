/** What a user of node:test does with netts while the timers are fake. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { connect, listen } from '@netts/core'
import { createMockNetwork } from '@netts/mock'

async function pair() {
  const builder = createMockNetwork().builder()
  const server = await listen(builder, { host: 'peer', port: 0 })
  const client = await connect(builder, server.address)
  return { server, client, accepted: await server.accept() }
}

test('messages arrive and both ends close while timers are fake', async () => {
  mock.timers.enable()
  const { server, client, accepted } = await pair()
  await client.send(Buffer.from('hello'))
  assert.equal(String(await accepted.recv()), 'hello')
  await Promise.all([client.close(), accepted.close(), server.close()])
  assert.equal(await client.closed, undefined)
  mock.timers.reset()
})

test('close ends although the peer does nothing until then', async () => {
  mock.timers.enable()
  const { server, client, accepted } = await pair()
  await client.close()
  await Promise.all([accepted.close(), server.close()])
  mock.timers.reset()
})
