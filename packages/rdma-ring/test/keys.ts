/**
 * What the key of a ring is good for, on any device: to whom it was not given, and once its connection is closed. The
 * assertions are of `node:assert`, so that any test runner will do.
 */
import assert from 'node:assert/strict'
import type { HostAddress } from '@netts/core'
import { closed, type Stranger, stillWorks, strangerOptions } from '@netts/rdma-suite/stranger'
import { SendOpcode, type Verbs } from '@netts/verbs'
import { connectEndpoint } from '@netts/verbs/endpoint'
import { type MemoryWindowUse, type RingTransport, ringOver } from '../src/index.js'
import type { RingAddress } from '../src/protocol/hello.js'
import { dataFrame, MANNERS, OPTIONS, ringOf, writeRing } from './stranger.js'

/** How a refused Write ends the connection at its target: by an event, or on Soft-RoCE by a receive that fails. */
const REFUSED = /^ERR_NETTS_(RESET|VERBS)$/

/** Where the tests run. */
export interface KeyBench {
  readonly client: Verbs
  readonly server: Verbs
  readonly host: string
}

/** A stranger that writes as it likes, and the end that it is connected to. */
interface Pair {
  readonly stranger: Stranger
  readonly victim: RingTransport
}

async function listen({ client, server, host }: KeyBench, memoryWindow: MemoryWindowUse) {
  const listener = await ringOver({ ...OPTIONS, memoryWindow, polling: 'event', verbs: server }).listen({
    host,
    port: 0,
  })
  const address = listener.address as HostAddress
  const meet = async (): Promise<Pair> => {
    const connecting = connectEndpoint(client, address, strangerOptions(MANNERS))
    const victim = (await listener.accept())!
    return { stranger: (await connecting).session as Stranger, victim }
  }
  const part = async ({ stranger, victim }: Pair) => {
    victim.destroy()
    stranger.endpoint.close()
    await stranger.over
  }
  return { listener, meet, part }
}

/** A doorbell for a frame of 5 bytes that the stranger itself has not written. */
function ring({ stranger }: Pair): void {
  if (stranger.endpoint.device.transport === 'iwarp') {
    stranger.send(Uint8Array.of(0, 0, 0, dataFrame(5).byteLength))
    return
  }
  const { address, key } = ringOf(stranger)
  stranger.send(new Uint8Array(0), {
    opcode: SendOpcode.writeWithImmediate,
    entries: [],
    remoteAddress: address,
    remoteKey: key,
    immediate: dataFrame(5).byteLength,
  })
}

async function received(transport: RingTransport): Promise<number[]> {
  const out = [{ chunkIndex: -1, byteLength: -1 }]
  while (transport.pollRecv(out) === 0) {
    if (transport.pollDisconnect()) throw transport.error
    await new Promise<void>((resolve) => {
      transport.waker = resolve
    })
  }
  const bytes = [...transport.recvBuf(out[0]!.chunkIndex)]
  transport.repostRecv(out[0]!.chunkIndex)
  return bytes
}

/** Another peer of the same process, with another queue pair in the same protection domain, learns where a ring is. */
export async function othersKey(bench: KeyBench, memoryWindow: MemoryWindowUse): Promise<void> {
  const { listener, meet, part } = await listen(bench, memoryWindow)
  const [owner, thief] = [await meet(), await meet()]
  assert.equal(owner.stranger.endpoint.environment, thief.stranger.endpoint.environment)
  const { memoryWindows } = owner.stranger.endpoint.device.capabilities
  assert.equal(owner.victim.memoryWindow, memoryWindows && memoryWindow !== 'never')
  writeRing(thief.stranger, dataFrame(5), { ring: ringOf(owner.stranger) })
  if (owner.victim.memoryWindow) {
    await closed(thief.victim)
    assert.match(`${thief.victim.error?.code}`, REFUSED)
    // Its ring has nothing but zeros, and so no frame.
    ring(owner)
    await closed(owner.victim)
    assert.match(`${owner.victim.error?.message}`, /frame kind 0 in the ring/)
  } else {
    // Behind a Write that the peer's device has taken, a doorbell finds what it wrote: its own ring has nothing.
    await closed(thief.victim)
    assert.match(`${thief.victim.error?.message}`, /frame kind 0 in the ring/)
    ring(owner)
    assert.deepEqual(await received(owner.victim), [7, 7, 7, 7, 7])
  }
  for (const pair of [owner, thief]) await part(pair)
  await listener.close()
}

/** A connection is closed, and somebody remembers its key. */
export async function staleKey(bench: KeyBench, memoryWindow: MemoryWindowUse): Promise<void> {
  const { client, server } = bench
  const { listener, meet, part } = await listen(bench, memoryWindow)
  const builder = ringOver({ ...OPTIONS, polling: 'event', verbs: client })
  const good = await builder.connect(listener.address)
  const goodEnd = (await listener.accept())!
  const first = await meet()
  const stale: RingAddress = ringOf(first.stranger)
  const before = server.counts.memoryRegions
  await part(first)
  for (let tries = 0; server.counts.memoryRegions >= before; tries++) {
    assert.ok(tries < 100, 'the ring is still registered')
    await new Promise<void>((resolve) => client.clock.setTimer(resolve, 50))
  }
  const second = await meet()
  writeRing(second.stranger, dataFrame(5), { ring: stale })
  await closed(second.victim)
  assert.match(`${second.victim.error?.code}`, REFUSED)
  await part(second)
  await stillWorks(good, goodEnd)
  good.destroy()
  goodEnd.destroy()
  await listener.close()
}
