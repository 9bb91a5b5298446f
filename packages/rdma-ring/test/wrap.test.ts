/** Sends across the ring's end: each is accepted whole, in two frames. */
import { createSimulatedFabric, type SimulationMode } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { type RingTransport, ringOver } from '../src/index.js'

const CAPACITY = 4096
const HEADER_BYTES = 16
const SENDS = 60

const SENDERS: Record<string, (transport: RingTransport, bytes: Buffer) => number> = {
  sendCopy: (transport, bytes) => transport.sendCopy(bytes),
  sendGather: (transport, bytes) => transport.sendGather([bytes.subarray(0, 3), bytes.subarray(3)]),
  sendBuffer: (transport, bytes) => {
    const buffer = transport.bufferPool.alloc(bytes.length)
    buffer.bytes.set(bytes)
    if (transport.sendBuffer(buffer)) return bytes.length
    buffer.release()
    return 0
  },
}

/** Turns of the event loop go by until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise<void>((resolve) => setImmediate(resolve))
}

async function pair(mode: SimulationMode) {
  const fabric = createSimulatedFabric({ mode, drive: 'auto', seed: 1 })
  const [client, server] = [fabric.createHost(), fabric.createHost()]
  const options = { capacity: CAPACITY }
  const listener = await ringOver({ ...options, verbs: server }).listen({ host: server.address, port: 0 })
  const near = await ringOver({ ...options, verbs: client }).connect(listener.address)
  const far = (await listener.accept())!
  const close = async () => {
    near.destroy()
    far.destroy()
    await listener.close()
  }
  return { near, far, close }
}

/** Waits for so many bytes. @returns them, by chunk */
async function receive(transport: RingTransport, byteLength: number): Promise<Buffer[]> {
  const out = [{ chunkIndex: -1, byteLength: -1 }]
  const chunks: Buffer[] = []
  let left = byteLength
  await until(() => {
    while (transport.pollRecv(out) > 0) {
      const { chunkIndex } = out[0]!
      chunks.push(Buffer.from(transport.recvBuf(chunkIndex)))
      left -= out[0]!.byteLength
      transport.repostRecv(chunkIndex)
    }
    return left <= 0
  })
  return chunks
}

describe.each<SimulationMode>(['roce', 'iwarp'])('on simulated %s', (mode) => {
  it.each(Object.entries(SENDERS))('%s takes all of it at once', async (_, send) => {
    const { near, far, close } = await pair(mode)
    let position = 0
    let cut = 0
    for (let i = 0; i < SENDS; i++) {
      const bytes = Buffer.alloc(600 + 7 * i, i + 1)
      let accepted = 0
      // What the receiver released may still be on its way.
      await until(() => {
        accepted = send(near, bytes)
        return accepted > 0
      })
      expect(accepted).toBe(bytes.length)
      const chunks = await receive(far, bytes.length)
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
      // No more than a header is left before the end: nothing is put there.
      const toEnd = CAPACITY - (position % CAPACITY)
      if (toEnd <= HEADER_BYTES) position += toEnd
      const isAcross = (position % CAPACITY) + HEADER_BYTES + bytes.length > CAPACITY
      expect(chunks).toHaveLength(isAcross ? 2 : 1)
      position += bytes.length + HEADER_BYTES * chunks.length
      if (isAcross) cut++
      await until(() => near.pollSendCompletion() === 1)
    }
    expect(cut).toBeGreaterThan(5)
    await close()
  })
})
