/** What a transport does while its process delivers all it can, in turns of the test's own. */
import { expect, it, vi } from 'vitest'
import { openPair, pattern, sendAll, sleep } from '../test/support.js'

const turn = vi.hoisted(() => ({ isSaturated: false }))
vi.mock('@netts/core/driver', async (importOriginal) => ({
  ...(await importOriginal<typeof import('@netts/core/driver')>()),
  isSaturated: () => turn.isSaturated,
}))

it('what will not be polled in this turn is left to the kernel, and read when the saturation is over', async () => {
  const { client, server } = await openPair()
  const data = pattern(512 * 1024)
  turn.isSaturated = true
  const sending = sendAll(client, data)
  await sleep(50)
  const out = Array.from({ length: 64 }, () => ({ chunkIndex: 0, byteLength: 0 }))
  const poll = () => {
    const polled = out.slice(0, server.pollRecv(out))
    const chunks = polled.map(({ chunkIndex }) => Buffer.from(server.recvBuf(chunkIndex)))
    for (const { chunkIndex } of polled) server.repostRecv(chunkIndex)
    return Buffer.concat(chunks)
  }
  const first = poll()
  // What the first read found.
  expect(first.length).toBeGreaterThan(0)
  expect(first.length).toBeLessThanOrEqual(64 * 1024)
  await sleep(20)
  turn.isSaturated = false
  await sleep(100)
  await sending
  // Nobody has polled since, and the rest of what the window has room for was read all the same.
  const rest: Buffer[] = []
  while (Buffer.concat([first, ...rest]).length < data.length) {
    rest.push(poll())
    await sleep(1)
  }
  expect(Buffer.concat([first, ...rest]).equals(data)).toBe(true)
})
