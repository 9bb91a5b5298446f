/** What the builders refuse before anything happens, and what connections hold. */
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { type RingOptions, ring, ringOver } from '../src/index.js'

const INVALID = expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' })

describe('options', () => {
  it('capacity is a power of two from a page to 64 MiB', () => {
    for (const capacity of [4096, 65_536, 2 ** 26]) expect(ring({ capacity }).name).toBe('rdma-ring')
    for (const capacity of [2048, 2 ** 27, 5000, 0, -4096, 4096.5, Number.NaN]) {
      expect(() => ring({ capacity })).toThrow(INVALID)
    }
  })

  it('bufferSize is an integer from 1040 to 2^24', () => {
    for (const bufferSize of [1040, 2 ** 24]) expect(ring({ bufferSize }).name).toBe('rdma-ring')
    for (const bufferSize of [1039, 2 ** 24 + 1, 2000.5]) expect(() => ring({ bufferSize })).toThrow(INVALID)
  })

  it('an unknown one is refused, with the name that was meant', () => {
    expect(() => ring({ capacitiy: 4096 } as RingOptions)).toThrow(/'capacitiy'.*'capacity'/)
    expect(() => ring({ recvDepth: 3 } as RingOptions)).toThrow(INVALID)
    expect(() => ring(null as never)).toThrow(INVALID)
  })

  it('ringOver takes verbs', () => {
    const verbs = createSimulatedFabric({ mode: 'roce', seed: 1 }).createHost()
    expect(ringOver({ verbs }).name).toBe('rdma-ring')
    for (const wrong of [undefined, null, {}, { verbs: {} }]) {
      expect(() => ringOver(wrong as never)).toThrow(INVALID)
    }
  })
})

describe('memory', () => {
  async function connect(options: RingOptions, memlockLimitBytes = Number.POSITIVE_INFINITY) {
    const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto', seed: 1 })
    const client = fabric.createHost({ memlockLimitBytes })
    const server = fabric.createHost()
    const listener = await ringOver({ verbs: server }).listen({ host: server.address, port: 0 })
    const connecting = ringOver({ ...options, verbs: client }).connect(listener.address)
    return { client, listener, connecting }
  }

  it('of an idle connection is what the formula says', async () => {
    const { connecting, listener } = await connect({ capacity: 65_536, bufferSize: 2048, sendDepth: 10 })
    const near = await connecting
    const receives = 64 + 3 + 32 - 1
    expect(near.pinnedBytes).toBe(65_536 + 2 * 2048 + 32 * (2 * 10 + 8) + 16 * receives)
    expect(near.maxSendSize).toBe(2032)
    expect(near.recvWindow).toBe(32_768)
    near.destroy()
    await listener.close()
  })

  it('that cannot be had refuses a connection with a reason, and leaves nothing behind', async () => {
    const { connecting, listener, client } = await connect({}, 200_000)
    await expect(connecting).rejects.toMatchObject({
      code: 'ERR_NETTS_POOL_EXHAUSTED',
      message: expect.stringContaining('RLIMIT_MEMLOCK'),
    })
    expect(client.pinnedBytes).toBe(0)
    await listener.close()
  })
})
