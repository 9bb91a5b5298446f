import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { connect, listen } from '@netts/core'
import { createMockNetwork } from '@netts/mock'

// The code under test, as above.
async function ask(driver, address, question) {
  const connection = await connect(driver, address, { timeoutMs: 1000 })
  try {
    await connection.send(Buffer.from(question))
    const answer = await connection.recv()
    if (!answer) throw new Error('no answer')
    return answer.toString()
  } finally {
    await connection.close()
  }
}

const address = { host: 'oracle', port: 4242 }

test('an answer that comes in crumbs, and late, is put together', async () => {
  const network = createMockNetwork({ faults: { server: { maxChunk: 2, latencyMs: 5 } } })
  const server = await listen(network.builder(), address)
  const asking = ask(network.builder(), address, 'why')
  const connection = await server.accept()
  const question = await connection.recv()
  assert.equal(String(question), 'why')
  await connection.send(Buffer.from('because'))
  connection.finish()
  assert.equal(await asking, 'because')
  await connection.close()
  await server.close()
})

test('the same run comes again with the same seed', async () => {
  const answers = []
  for (let run = 0; run < 2; run++) {
    const network = createMockNetwork({ seed: 11, faults: { chaos: { refuseConnect: 0.5 } } })
    const server = await listen(network.builder(), address)
    const outcomes = []
    for (let attempt = 0; attempt < 10; attempt++) {
      const client = await connect(network.builder(), address).catch((error) => error.code)
      outcomes.push(typeof client === 'string' ? client : 'connected')
      if (typeof client !== 'string') client.destroy()
    }
    answers.push(outcomes.join())
    await server.close()
  }
  assert.equal(answers[0], answers[1])
})

test('an oracle that never answers the call is given up', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const network = createMockNetwork({ faults: { connect: 'never' } })
  const asking = ask(network.builder(), address, 'why')
  mock.timers.tick(1000)
  await assert.rejects(asking, { code: 'ERR_NETTS_TIMEOUT' })
  mock.timers.reset()
})
