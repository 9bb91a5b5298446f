/** What flow control costs: nothing in a dialogue or under light traffic, and little in a stream. */
import { createConnection } from '@netts/core'
import { createSimulatedFabric, type SimulationMode } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { type RingOptions, type RingTransport, ringOver } from '../src/index.js'

async function pair(mode: SimulationMode, options: RingOptions = {}) {
  const fabric = createSimulatedFabric({ mode, drive: 'auto', seed: 1 })
  const [client, server] = [fabric.createHost(), fabric.createHost()]
  const listener = await ringOver({ ...options, verbs: server }).listen({ host: server.address, port: 0 })
  const transports: RingTransport[] = await Promise.all([
    ringOver({ ...options, verbs: client }).connect(listener.address),
    listener.accept().then((transport) => transport!),
  ])
  const [near, far] = transports.map((transport) => createConnection(transport))
  const close = () => Promise.all([near!.close(), far!.close(), listener.close()])
  const controlFrames = () => transports.map(({ controlFramesSent }) => controlFramesSent)
  return { near: near!, far: far!, close, controlFrames }
}

describe.each<SimulationMode>(['roce', 'iwarp'])('on simulated %s', (mode) => {
  it('two ends that answer each other send no frames but data, over many laps of the ring', async () => {
    const { near, far, close, controlFrames } = await pair(mode, { capacity: 4096 })
    const answering = (async () => {
      for (let i = 0; i < 300; i++) await far.send((await far.recv())!)
    })()
    for (let i = 0; i < 300; i++) {
      const message = Buffer.alloc(100, i)
      await near.send(message)
      expect(message.equals((await near.recv())!)).toBe(true)
    }
    await answering
    expect(controlFrames()).toEqual([0, 0])
    await close()
  })

  it('one way, no frame goes back as long as half of the ring is free, and one does beyond', async () => {
    const { near, far, close, controlFrames } = await pair(mode, { capacity: 65_536 })
    const send = async (messages: number) => {
      for (let i = 0; i < messages; i++) {
        await near.send(Buffer.alloc(1000, i))
        await far.recv()
      }
      // What is due leaves in the next turn.
      for (let turn = 0; turn < 100; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    }
    // 30 × 1020 bytes: far more than a tenth, and less than half.
    await send(30)
    expect(controlFrames()).toEqual([0, 0])
    await send(4)
    expect(controlFrames()).toEqual([0, 1])
    await close()
  })

  it('light traffic one way sends none for 127 frames', async () => {
    const { near, far, close, controlFrames } = await pair(mode)
    for (let i = 0; i < 127; i++) {
      await near.send(Buffer.alloc(100, i))
      await far.recv()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    expect(controlFrames()).toEqual([0, 0])
    await close()
  })

  it('in a stream there is at most one for a tenth of the ring', async () => {
    const capacity = 65_536
    const { near, far, close, controlFrames } = await pair(mode, { capacity })
    const total = 4 * 2 ** 20
    const writing = (async () => {
      for (let sent = 0; sent < total; sent += 8192) await near.send(Buffer.alloc(8192))
    })()
    for (let received = 0; received < total; received += 8192) await far.recv()
    await writing
    const [fromNear, fromFar] = controlFrames()
    // The sender says that it is blocked only where the receiver was held up, as by a busy machine.
    expect(fromNear).toBeLessThan(total / capacity / 8)
    expect(fromFar).toBeGreaterThan(0)
    expect(fromFar).toBeLessThan((total * 1.1) / (capacity / 10))
    await close()
  })
})
