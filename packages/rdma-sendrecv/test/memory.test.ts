import { createSimulatedFabric, forEachSeed, type SimulatedFabric } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { type SendRecvOptions, type SendRecvTransport, sendRecvOver } from '../src/index.js'

const IDLE_BYTES = 164_992
const MOST_BYTES = 3_441_792

async function pair(
  fabric: SimulatedFabric,
  options: SendRecvOptions = {},
  memlockLimitBytes = Number.POSITIVE_INFINITY,
) {
  const client = fabric.createHost({ name: 'client' })
  const server = fabric.createHost({ name: 'server', memlockLimitBytes })
  const listener = await sendRecvOver({ ...options, verbs: server }).listen({ host: server.address, port: 0 })
  const [near, far] = await Promise.all([
    sendRecvOver({ ...options, verbs: client }).connect(listener.address),
    listener.accept(),
  ])
  await listener.close()
  return { client, server, near, far: far! }
}

/** Sends so many bytes from one to the other, who releases each chunk at once, or at the end. */
async function stream(
  from: SendRecvTransport,
  to: SendRecvTransport,
  byteLength: number,
  slowly = false,
): Promise<void> {
  const bytes = new Uint8Array(from.maxSendSize).fill(7)
  const out = Array.from({ length: 16 }, () => ({ chunkIndex: -1, byteLength: -1 }))
  const held: number[] = []
  let sent = 0
  let received = 0
  while (received < byteLength) {
    let moved = false
    for (;;) {
      const accepted = sent < byteLength ? from.sendCopy(bytes.subarray(0, byteLength - sent)) : 0
      if (accepted === 0) break
      sent += accepted
      moved = true
    }
    const count = to.pollRecv(out)
    for (const { chunkIndex, byteLength } of out.slice(0, count)) {
      received += byteLength
      held.push(chunkIndex)
      moved = true
    }
    if (!slowly || held.length >= 100) for (const chunkIndex of held.splice(0)) to.repostRecv(chunkIndex)
    if (moved) continue
    if (held.length > 0) {
      for (const chunkIndex of held.splice(0)) to.repostRecv(chunkIndex)
      continue
    }
    await new Promise<void>((resolve) => {
      from.waker = resolve
      to.waker = resolve
    })
  }
  for (const chunkIndex of held) to.repostRecv(chunkIndex)
}

const pause = (fabric: SimulatedFabric, ms: number) =>
  new Promise<void>((resolve) => fabric.hosts[0]!.clock.setTimer(resolve, ms))

describe('pinned memory', () => {
  it('of an idle connection with the default options is less than 256 KiB', async () => {
    const fabric = createSimulatedFabric({ mode: 'roce', seed: 1 })
    const { near, far, client } = await fabric.settle(pair(fabric))
    expect(near.pinnedBytes).toBe(IDLE_BYTES)
    expect(far.pinnedBytes).toBe(IDLE_BYTES)
    expect(client.pinnedBytes).toBeLessThanOrEqual(256 * 1024 + 2 * 4096)
  })

  it('grows while the peer keeps the window busy, to less than 4 MiB, and shrinks again when it is idle', async () => {
    await forEachSeed({ mode: 'roce', count: 4 }, async (fabric) => {
      const { near, far, server } = await pair(fabric)
      await stream(near, far, 8 * 2 ** 20, true)
      expect(far.pinnedBytes).toBeGreaterThan(4 * IDLE_BYTES)
      expect(far.pinnedBytes).toBeLessThanOrEqual(MOST_BYTES)
      expect(near.pinnedBytes).toBeLessThanOrEqual(MOST_BYTES)
      await pause(fabric, 12_000)
      expect(near.pinnedBytes).toBe(IDLE_BYTES)
      expect(far.pinnedBytes).toBe(IDLE_BYTES)
      // It still works, both ways.
      await stream(near, far, 100_000)
      await stream(far, near, 100_000)
      expect(server.counters.receiverNotReady).toBe(0)
      near.destroy()
      far.destroy()
    })
  })

  it('stays where it is when the process may not pin more, and everything still arrives', async () => {
    await forEachSeed({ mode: 'iwarp', count: 4 }, async (fabric) => {
      const { near, far, server } = await pair(fabric, {}, 600 * 1024)
      await stream(near, far, 2 * 2 ** 20, true)
      expect(server.pinnedBytes).toBeLessThanOrEqual(600 * 1024)
      near.destroy()
      far.destroy()
    })
  })

  it('that cannot be had refuses a connection with a reason, and leaves nothing behind', async () => {
    await forEachSeed({ mode: 'roce', count: 4 }, async (fabric) => {
      const client = fabric.createHost({ memlockLimitBytes: 128 * 1024 })
      const server = fabric.createHost()
      const listener = await sendRecvOver({ verbs: server }).listen({ host: server.address, port: 0 })
      await expect(sendRecvOver({ verbs: client }).connect(listener.address)).rejects.toMatchObject({
        code: 'ERR_NETTS_POOL_EXHAUSTED',
        message: expect.stringContaining('RLIMIT_MEMLOCK'),
      })
      expect(client.pinnedBytes).toBe(0)
      await listener.close()
    })
  })

  it('sends far fewer control frames than data, also to a slow reader', async () => {
    await forEachSeed({ mode: 'roce', count: 4 }, async (fabric) => {
      const { near, far } = await pair(fabric)
      await stream(near, far, 8 * 2 ** 20, true)
      const dataFrames = (8 * 2 ** 20) / near.maxSendSize
      expect(far.controlFramesSent).toBeLessThan(dataFrames / 4)
      expect(near.controlFramesSent).toBeLessThan(dataFrames / 16)
      near.destroy()
      far.destroy()
    })
  })
})
