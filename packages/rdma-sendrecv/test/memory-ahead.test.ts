/** Connecting registers no buffers on the event loop, and gives up what it did not use. */
import type { ProtectionDomain } from '@netts/verbs'
import { createSimulatedFabric, type SimulatedHost } from '@netts/verbs/simulated'
import { describe, expect, it, vi } from 'vitest'
import { type SendRecvOptions, sendRecvOver } from '../src/index.js'

/** More than one page is never registered while the event loop waits: READY and headers take one each. */
const PAGE_BYTES = 4096

function watch(host: SimulatedHost): number[] {
  const device = host.devices()[0]!
  const sizes: number[] = []
  const allocate = device.allocateProtectionDomain.bind(device)
  vi.spyOn(device, 'allocateProtectionDomain').mockImplementation(() => {
    const domain: ProtectionDomain = allocate()
    const register = domain.registerRegion.bind(domain)
    vi.spyOn(domain, 'registerRegion').mockImplementation((options) => {
      const region = register(options)
      sizes.push(region.byteLength)
      return region
    })
    vi.spyOn(domain, 'registerRegionAsync').mockImplementation(async (options) => {
      await new Promise((resolve) => setImmediate(resolve))
      return register(options)
    })
    return domain
  })
  return sizes
}

function hosts() {
  const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto', seed: 1 })
  return [fabric.createHost(), fabric.createHost()] as const
}

describe('a connection', () => {
  it.each<SendRecvOptions>([{}, { bufferSize: 100_000 }, { bufferSize: 2 ** 20, recvDepthInitial: 8 }])(
    'registers its buffers on another thread, on both ends: %o',
    async (options) => {
      const [client, server] = hosts()
      const sizes = [watch(client), watch(server)]
      const listener = await sendRecvOver({ ...options, verbs: server }).listen({
        host: server.address,
        port: 0,
      })
      const builder = sendRecvOver({ ...options, verbs: client })
      const nears = [await builder.connect(listener.address), await builder.connect(listener.address)]
      for (const near of nears) near.destroy()
      expect(Math.max(...sizes.flat())).toBe(PAGE_BYTES)
      await listener.close()
    },
  )

  it('that fails gives up what was registered for it', async () => {
    const [client, server] = hosts()
    const connecting = sendRecvOver({ verbs: client }).connect({ host: server.address, port: 4711 })
    await expect(connecting).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED' })
    await vi.waitFor(() => expect([client.pinnedBytes, client.counts.memoryRegions]).toEqual([0, 0]))
  })
})
