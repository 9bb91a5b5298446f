/** A peer that has finished, and then loses power with data on its way to it, did not get that data. */
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
