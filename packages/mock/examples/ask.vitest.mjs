import { connect, listen } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { expect, it, vi } from 'vitest'

// The code under test takes its driver as an argument: tcp() in production, a mock here.
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

async function oracle(network) {
  const server = await listen(network.builder(), address)
  const serve = async () => {
    for await (const connection of server) {
      for await (const question of connection) await connection.send(Buffer.from(`${question}? 42`))
    }
  }
  serve().catch(() => {})
  return server
}

it('asks and answers', async () => {
  const network = createMockNetwork()
  const server = await oracle(network)
  expect(await ask(network.builder(), address, 'why')).toBe('why? 42')
  // On the wire, a message is its length in 4 bytes, and then its bytes.
  expect(network.links[0].client.sent).toEqual(Buffer.from('\0\0\0\x03why'))
  await server.close()
})

it('reports an oracle that crashes in mid-answer', async () => {
  const network = createMockNetwork({ faults: { server: { crashAfterBytes: 6 } } })
  const server = await oracle(network)
  await expect(ask(network.builder(), address, 'why')).rejects.toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
  await server.close()
})

it('gives up on an oracle that never answers the call', async () => {
  vi.useFakeTimers()
  const network = createMockNetwork({ faults: { connect: 'never' } })
  const outcome = expect(ask(network.builder(), address, 'why')).rejects.toMatchObject({
    code: 'ERR_NETTS_TIMEOUT',
  })
  await vi.advanceTimersByTimeAsync(1000)
  await outcome
  vi.useRealTimers()
})
