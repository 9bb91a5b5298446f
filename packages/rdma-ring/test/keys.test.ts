/** Who may write a ring, on the simulated device. */
import { createSimulatedFabric, forEachSeed } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { ringOver } from '../src/index.js'
import { othersKey, staleKey } from './keys.js'

describe.each(['roce', 'iwarp'] as const)('the key of a ring on simulated %s', (mode) => {
  for (const memoryWindow of ['auto', 'never'] as const) {
    it(`is of use on another queue pair only without a window (${memoryWindow})`, async () => {
      await forEachSeed({ mode, count: 10 }, async (fabric) => {
        const [client, server] = [fabric.createHost(), fabric.createHost()]
        await othersKey({ client, server, host: server.address }, memoryWindow)
      })
    })

    it(`is void once the connection is closed (${memoryWindow})`, async () => {
      await forEachSeed({ mode, count: 10 }, async (fabric) => {
        const [client, server] = [fabric.createHost(), fabric.createHost()]
        await staleKey({ client, server, host: server.address }, memoryWindow)
      })
    })
  }
})

describe("memoryWindow: 'require'", () => {
  it('connects where the device has windows, and gives them back', async () => {
    await forEachSeed({ mode: 'roce', count: 5 }, async (fabric) => {
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      const listener = await ringOver({ memoryWindow: 'require', verbs: server }).listen({
        host: server.address,
        port: 0,
      })
      const near = await ringOver({ memoryWindow: 'never', verbs: client }).connect(listener.address)
      const far = (await listener.accept())!
      expect([near.memoryWindow, far.memoryWindow]).toEqual([false, true])
      expect([client.counts.memoryWindows, server.counts.memoryWindows]).toEqual([0, 1])
      near.destroy()
      far.destroy()
      await listener.close()
      for (let tries = 0; server.counts.memoryWindows > 0; tries++) {
        expect(tries).toBeLessThan(50)
        await new Promise<void>((resolve) => client.clock.setTimer(resolve, 200))
      }
    })
  })

  it('refuses where it has none, whichever end wants it, and leaves nothing behind', async () => {
    const fabric = createSimulatedFabric({ mode: 'iwarp', drive: 'auto', seed: 1 })
    const [client, server] = [fabric.createHost(), fabric.createHost()]
    const strict = await ringOver({ memoryWindow: 'require', verbs: server }).listen({
      host: server.address,
      port: 0,
    })
    await expect(ringOver({ verbs: client }).connect(strict.address)).rejects.toMatchObject({
      message: expect.stringContaining('memory windows'),
    })
    await strict.close()
    const open = await ringOver({ verbs: server }).listen({ host: server.address, port: 0 })
    const connecting = ringOver({ memoryWindow: 'require', verbs: client }).connect(open.address)
    await expect(connecting).rejects.toMatchObject({ code: 'ERR_NETTS_UNSUPPORTED' })
    await open.close()
    await expect.poll(() => [client.pinnedBytes, client.counts.memoryRegions]).toEqual([0, 0])
  })

  it('is refused when the device has no more windows, and so is auto', async () => {
    const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto', seed: 1 })
    const client = fabric.createHost({ limits: { maxMemoryWindows: 1 } })
    const server = fabric.createHost()
    const listener = await ringOver({ verbs: server }).listen({ host: server.address, port: 0 })
    const first = await ringOver({ verbs: client }).connect(listener.address)
    await expect(ringOver({ verbs: client }).connect(listener.address)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_NETTS_/),
      message: expect.stringContaining('ibv_alloc_mw'),
    })
    expect(first.memoryWindow).toBe(true)
    first.destroy()
    await listener.close()
  })
})
