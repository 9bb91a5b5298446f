/** Peers that lose power: what was on its way to them is lost, and it is noticed in time. */
import { forEachSeed, type SimulationMode } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { type SendRecvTransport, sendRecvOver } from '../src/index.js'

async function until(transport: SendRecvTransport, condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      transport.waker = resolve
    })
  }
}

describe.each<SimulationMode>(['roce', 'iwarp'])(
  'a peer that finished and was lost, on simulated %s',
  (mode) => {
    it.each(['finish', 'disconnect'] as const)('is no clean end of what says %s', async (end) => {
      await forEachSeed({ mode, count: 12 }, async (fabric) => {
        const [client, server] = [fabric.createHost(), fabric.createHost()]
        const listener = await sendRecvOver({ verbs: server }).listen({ host: server.address, port: 0 })
        const near = await sendRecvOver({ verbs: client }).connect(listener.address)
        const far = await listener.accept()
        far!.finish()
        await until(near, () => near.recvEnded)
        server.powerOff()
        expect(near.sendCopy(new Uint8Array(1000))).toBe(1000)
        near[end]()
        await until(near, () => near.pollDisconnect())
        expect(['ERR_NETTS_PEER_LOST', 'ERR_NETTS_TIMEOUT']).toContain(near.error?.code)
      })
    })
  },
)

describe.each<SimulationMode>(['roce', 'iwarp'])('a peer without power, on simulated %s', (mode) => {
  it.each(['finish', 'disconnect'] as const)('is no clean end of a disconnect behind %s', async (first) => {
    await forEachSeed({ mode, count: 12 }, async (fabric) => {
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      const options = { keepAliveIntervalMs: 60_000 }
      const listener = await sendRecvOver({ ...options, verbs: server }).listen({
        host: server.address,
        port: 0,
      })
      const near = await sendRecvOver({ ...options, verbs: client }).connect(listener.address)
      await listener.accept()
      server.powerOff()
      expect(near.sendCopy(new Uint8Array(1000))).toBe(1000)
      near[first]()
      if (first === 'finish') await new Promise<void>((resolve) => client.clock.setTimer(resolve, 100))
      near.disconnect()
      await until(near, () => near.pollDisconnect())
      expect(['ERR_NETTS_PEER_LOST', 'ERR_NETTS_TIMEOUT']).toContain(near.error?.code)
    })
  })

  it('is told from one that only does not finish', async () => {
    await forEachSeed({ mode, count: 12 }, async (fabric) => {
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      const listener = await sendRecvOver({ verbs: server }).listen({ host: server.address, port: 0 })
      const near = await sendRecvOver({ verbs: client }).connect(listener.address)
      const far = await listener.accept()
      expect(near.sendCopy(new Uint8Array(1000))).toBe(1000)
      near.disconnect()
      await until(near, () => near.pollDisconnect())
      expect(near.error).toBeUndefined()
      far!.destroy()
    })
  })

  it('is noticed within the deadline of keepalive, also by who goes on sending a little', async () => {
    await forEachSeed({ mode, count: 6 }, async (fabric) => {
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      const options = { keepAliveIntervalMs: 1000, keepAliveTimeoutMs: 1000, recvDepthInitial: 128 }
      const listener = await sendRecvOver({ ...options, verbs: server }).listen({
        host: server.address,
        port: 0,
      })
      const near = await sendRecvOver({ ...options, verbs: client }).connect(listener.address)
      await listener.accept()
      server.powerOff()
      const started = fabric.nowMs
      const send = () => {
        if (near.pollDisconnect()) return
        near.sendCopy(new Uint8Array(1))
        client.clock.setTimer(send, 500)
      }
      send()
      await until(near, () => near.pollDisconnect())
      expect(near.error?.code).toBe('ERR_NETTS_PEER_LOST')
      // Virtual time; a hostile schedule starves timers for a while.
      expect(fabric.nowMs - started).toBeLessThan(3100)
    })
  })
})
