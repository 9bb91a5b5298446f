/** A random schedule is replayed by its seed. */
import { createMockNetwork } from '@netts/mock'
import { expect, it } from 'vitest'
import { runRandomSchedules } from '../src/index.js'
import { brokenFixture } from './broken/broken-driver.js'
import { sendingDefects } from './broken/sending.js'
import { MOCK_CAPABILITIES } from './mock-fixture.js'

/** What both sides sent in the schedule of a seed, over a mock in chaos. */
async function played(seed: number): Promise<string[]> {
  const network = createMockNetwork({ seed, faults: { chaos: true } })
  const setup = () => ({
    builder: network.builder({ maxSendSize: 2048, recvWindow: 8192 }),
    listenAddress: () => ({ host: 'conformance', port: 0 }),
  })
  const schedules = await runRandomSchedules(
    { name: 'mock', capabilities: MOCK_CAPABILITIES, setup, seed },
    0,
  )
  expect(schedules).toBe(1)
  return network.links.flatMap(({ client, server }) => [
    client.sent.toString('hex'),
    server.sent.toString('hex'),
  ])
}

it('the same seed gives the same run, another one another', async () => {
  for (const seed of [1, 2, 3]) expect(await played(seed)).toEqual(await played(seed))
  expect(await played(1)).not.toEqual(await played(2))
})

it('a failure names the seed that fails again', async () => {
  const defect = sendingDefects.find(({ name }) => name === 'reverses a send now and then')!
  const failure = (seed: number): Promise<Error> =>
    runRandomSchedules(
      { name: 'broken', capabilities: MOCK_CAPABILITIES, setup: () => brokenFixture(defect), seed },
      10_000,
    ).then(
      () => expect.unreachable(),
      (error: Error) => error,
    )
  const first = await failure(100)
  const seed = Number(/seed: (\d+)/.exec(first.message)?.[1])
  expect(seed).toBeGreaterThanOrEqual(100)
  const again = await failure(seed)
  expect(again.message).toBe(first.message)
  expect(String(again.cause)).toBe(String(first.cause))
})
