/** Soft-iWARP refuses what is posted from the moment when the peer closed: that is no error of its own. */
import { NettsError } from '@netts/core'
import { forEachSeed, type SimulatedHost } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { type SendRecvTransport, sendRecvOver } from '../src/index.js'

/** From now on, this host's queue pairs refuse sends as soon as `isGone`. @returns how many they refused */
function refuseSends(host: SimulatedHost, isGone: () => boolean): { refused: number } {
  const counts = { refused: 0 }
  const createCmId = host.createCmId.bind(host)
  host.createCmId = () => {
    const id = createCmId()
    const createQueuePair = id.createQueuePair.bind(id)
    id.createQueuePair = (options) => {
      const queuePair = createQueuePair(options)
      const postSend = queuePair.postSend.bind(queuePair)
      queuePair.postSend = (count, first) => {
        if (!isGone()) return postSend(count, first)
        counts.refused++
        throw new NettsError('ERR_NETTS_VERBS', 'ibv_post_send failed: EPERM')
      }
      return queuePair
    }
    return id
  }
  return counts
}

async function over(transport: SendRecvTransport): Promise<void> {
  while (!transport.pollDisconnect()) {
    await new Promise<void>((resolve) => {
      transport.waker = resolve
    })
  }
}

describe('sends that are refused because the peer closed', () => {
  it('leave a clean end clean, and an error what it was', async () => {
    let refused = 0
    await forEachSeed({ mode: 'iwarp', count: 60 }, async (fabric) => {
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      let far: SendRecvTransport | undefined
      const counts = refuseSends(client, () => far?.pollDisconnect() === true)
      const listener = await sendRecvOver({ verbs: server }).listen({ host: server.address, port: 0 })
      const connecting = sendRecvOver({ verbs: client }).connect(listener.address)
      far = await listener.accept()
      const near = await connecting
      near.finish()
      const destroys = fabric.random.chance(0.3)
      while (!destroys && !far!.recvEnded) {
        await new Promise<void>((resolve) => {
          far!.waker = resolve
        })
      }
      if (destroys) far!.destroy()
      else far!.disconnect()
      await Promise.all([over(near), over(far!)])
      expect(near.error?.code).toBe(destroys ? 'ERR_NETTS_RESET' : undefined)
      refused += counts.refused
      await listener.close()
    })
    expect(refused).toBeGreaterThan(0)
  })
})
