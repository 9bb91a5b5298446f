/** Most Writes ask for no completion; what `flush` and a lent buffer wait for has to come all the same. */
import { createConnection } from '@netts/core'
import { LOOPBACK_ADDRESS, useLoopback } from '@netts/loopback'
import { openVerbs, type Verbs } from '@netts/verbs'
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { type RingOptions, type RingTransport, ringOver } from '../src/index.js'

const POLLINGS = ['event', 'adaptive', 'busy'] as const
const isThere = useLoopback()

function simulated(mode: 'roce' | 'iwarp') {
  const fabric = createSimulatedFabric({ mode, drive: 'auto', seed: 1 })
  const [client, server] = [fabric.createHost(), fabric.createHost()]
  return { client, server, host: server.address }
}

const DEVICES: Record<string, () => { client: Verbs; server: Verbs; host: string }> = {
  'simulated RoCE': () => simulated('roce'),
  'simulated iWARP': () => simulated('iwarp'),
  loopback: () => ({ client: openVerbs(), server: openVerbs(), host: LOOPBACK_ADDRESS }),
}

async function connect(device: string, options: RingOptions) {
  const { client, server, host } = DEVICES[device]!()
  const listener = await ringOver({ ...options, verbs: server }).listen({ host, port: 0 })
  const near: RingTransport = await ringOver({ ...options, verbs: client }).connect(listener.address)
  const far: RingTransport = (await listener.accept())!
  const close = async () => {
    near.destroy()
    far.destroy()
    await listener.close()
  }
  return { near, far, close }
}

for (const device of Object.keys(DEVICES)) {
  describe.skipIf(device === 'loopback' && !isThere)(`on ${device}`, () => {
    it.each(POLLINGS)(
      'one send, and then flush, which has nothing to wait for but that (%s)',
      async (polling) => {
        const { near, close } = await connect(device, { polling })
        const connection = createConnection(near)
        for (let i = 0; i < 3; i++) {
          await connection.send(Buffer.from('one'))
          await connection.flush()
          expect(near.sendsInFlight).toBe(0)
        }
        await close()
      },
    )

    it.each(POLLINGS)(
      'one lent buffer comes back, although nothing is sent after it (%s)',
      async (polling) => {
        const { near, close } = await connect(device, { polling })
        const buffer = near.bufferPool.alloc(100)
        expect(near.sendBuffer(buffer, 0, 100)).toBe(true)
        let completed = 0
        while (completed === 0) {
          await new Promise<void>((resolve) => {
            near.waker = resolve
            completed = near.pollSendCompletion()
            if (completed > 0) resolve()
          })
        }
        expect([completed, near.sendsInFlight, near.queuedBytes]).toEqual([1, 0, 0])
        await close()
      },
    )
  })
}
