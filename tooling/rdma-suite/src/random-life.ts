/**
 * The whole life of a connection on the simulated device, everything about it by chance: both ends' options, what
 * they send and how, when they release, how they end, and what befalls them. Whatever happens, what arrives is a
 * prefix of what was sent, and a clean end means that it was all.
 */
import assert from 'node:assert/strict'
import type { RecvCompletion } from '@netts/core'
import type { RdmaOptions } from '@netts/verbs/endpoint'
import type { SeededRandom, SimulatedFabric, SimulatedHost } from '@netts/verbs/simulated'
import { openCounts } from './open-counts.js'
import type { RdmaTestTransport, TestedDriver } from './tested-driver.js'

/** What befalls a connection. */
export type Fate = 'nothing' | 'destroyed' | 'killed' | 'powered off' | 'cut for a second' | 'cut for ever'

const FATES: readonly Fate[] = ['destroyed', 'killed', 'powered off', 'cut for a second', 'cut for ever']
const POLLING = ['event', 'adaptive', 'busy'] as const

/** One end and its program. */
class End {
  readonly transport: RdmaTestTransport
  readonly host: SimulatedHost
  sent = 0
  received = 0
  sends = 0
  readonly #fabric: SimulatedFabric
  readonly #salt: number
  readonly #toSend: number
  /** It ends by `disconnect`, and so may discard what the peer sends. */
  readonly byDisconnect: boolean
  readonly #held: { chunkIndex: number; position: number }[] = []
  readonly #out: RecvCompletion[]
  #resume: (() => void) | undefined

  constructor(fabric: SimulatedFabric, host: SimulatedHost, transport: RdmaTestTransport, salt: number) {
    const { random } = fabric
    this.#fabric = fabric
    this.host = host
    this.transport = transport
    this.#salt = salt
    this.#toSend = random.chance(0.2) ? 0 : random.below(40_000)
    this.byDisconnect = random.chance(0.2)
    this.#out = Array.from({ length: 1 + random.below(6) }, () => ({ chunkIndex: -1, byteLength: -1 }))
    transport.waker = () => {
      this.#resume?.()
      this.#resume = undefined
    }
  }

  /** Runs until the transport is closed and everything was read. */
  async run(): Promise<void> {
    const { transport } = this
    for (;;) {
      if (this.#step()) {
        if (this.#fabric.random.chance(0.05)) await Promise.resolve()
        continue
      }
      if (transport.pollDisconnect() && !this.#receive()) break
      await new Promise<void>((resolve) => {
        this.#resume = resolve
      })
    }
    this.#release(this.#held.length)
  }

  /** @returns whether anything could be done */
  #step(): boolean {
    const { random } = this.#fabric
    const received = random.chance(0.6) && this.#receive()
    if (random.chance(0.4)) this.#release(random.below(this.#held.length + 1))
    if (this.#send() || received) return true
    if (this.#receive()) return true
    if (this.#held.length === 0) return false
    this.#release(this.#held.length)
    return true
  }

  #send(): boolean {
    const { transport } = this
    if (transport.state !== 'open') return false
    if (this.sent === this.#toSend) {
      if (this.byDisconnect) transport.disconnect()
      else transport.finish()
      return true
    }
    const { random } = this.#fabric
    const bytes = this.#pattern(this.sent, 1 + random.below(Math.min(this.#toSend - this.sent, 5000)))
    let accepted: number
    if (random.chance(0.4)) accepted = transport.sendCopy(bytes)
    else if (random.chance(0.3)) accepted = transport.sendGather([bytes.subarray(0, 3), bytes.subarray(3)])
    else {
      const length = Math.min(bytes.byteLength, transport.maxSendSize)
      const buffer = transport.bufferPool.alloc(length)
      buffer.bytes.set(bytes.subarray(0, length))
      accepted = transport.sendBuffer(buffer) ? length : 0
      if (accepted === 0) buffer.release()
    }
    this.sent += accepted
    if (accepted > 0) this.sends++
    return accepted > 0
  }

  #receive(): boolean {
    const count = this.transport.pollRecv(this.#out)
    for (const { chunkIndex, byteLength } of this.#out.slice(0, count)) {
      this.#held.push({ chunkIndex, position: this.received })
      this.received += byteLength
    }
    return count > 0
  }

  #release(count: number): void {
    for (let i = 0; i < count; i++) {
      const [chunk] = this.#held.splice(this.#fabric.random.below(this.#held.length), 1)
      const { chunkIndex, position } = chunk!
      const bytes = this.transport.recvBuf(chunkIndex)
      const expected = this.#pattern(position, bytes.byteLength, 1 - this.#salt)
      assert.ok(
        expected.every((byte, at) => byte === bytes[at]),
        `bytes from ${position} on are not what was sent`,
      )
      this.transport.repostRecv(chunkIndex)
    }
  }

  #pattern(position: number, byteLength: number, salt = this.#salt): Uint8Array {
    return Uint8Array.from(
      { length: byteLength },
      (_, i) => (position + i) * 7 + ((position + i) >> 8) + salt * 101,
    )
  }
}

/** A driver whose options are drawn by lot as well. */
export interface LivingDriver<O extends RdmaOptions> extends TestedDriver<O> {
  /** Its own options, beside those that all drivers have. */
  randomOptions(random: SeededRandom): O
}

function randomOptions<O extends RdmaOptions>(driver: LivingDriver<O>, { random }: SimulatedFabric): O {
  return {
    ...driver.randomOptions(random),
    sendDepth: 1 + random.below(20),
    inlineThreshold: random.chance(0.3) ? 64 : 0,
    polling: POLLING[random.below(POLLING.length)]!,
    keepAliveIntervalMs: 1000,
    keepAliveTimeoutMs: 1000,
  }
}

/** Lives one life. @param mayFail whether anything may befall the connection */
export async function randomLife<O extends RdmaOptions>(
  driver: LivingDriver<O>,
  fabric: SimulatedFabric,
  mayFail: boolean,
): Promise<void> {
  const { random } = fabric
  const hosts = [fabric.createHost({ name: 'client' }), fabric.createHost({ name: 'server' })] as const
  const [client, server] = hosts
  const listener = await driver
    .buildOver({ ...randomOptions(driver, fabric), verbs: server })
    .listen({ host: server.address, port: 0 })
  const builder = driver.buildOver({ ...randomOptions(driver, fabric), verbs: client })
  const [near, far] = await Promise.all([builder.connect(listener.address), listener.accept()])
  const ends = [new End(fabric, client, near, 0), new End(fabric, server, far!, 1)] as const
  const fate = mayFail ? FATES[random.below(FATES.length)]! : 'nothing'
  const victim = ends[random.below(2)]!
  strikeLater(fabric, fate, ends, victim)
  const dead = fate === 'killed' || fate === 'powered off' ? victim : undefined
  await Promise.all(ends.map((end) => (end === dead ? swallow(end.run()) : end.run())))
  for (const [index, end] of ends.entries()) if (end !== dead) check(end, ends[1 - index]!, fate)
  await listener.close()
  for (const host of hosts) if (host !== dead?.host) await nothingOpen(host)
  for (const host of hosts)
    assert.equal(host.counters.receiverNotReady, 0, `receiver not ready at ${host.name}`)
  if (fate === 'nothing') for (const host of hosts) assert.equal(host.counters.retriesExceeded, 0)
}

/** A dead program's promises may stay pending for ever. */
function swallow(promise: Promise<void>): Promise<void> {
  promise.catch(() => {})
  return Promise.resolve()
}

function strikeLater(fabric: SimulatedFabric, fate: Fate, ends: readonly [End, End], victim: End): void {
  if (fate === 'nothing') return
  const at = fabric.steps + random(fabric)
  const [client, server] = [ends[0].host, ends[1].host]
  let struck = false
  fabric.onStep = () => {
    if (struck || fabric.steps < at) return
    struck = true
    if (fate === 'destroyed') victim.transport.destroy()
    else if (fate === 'killed') victim.host.kill()
    else if (fate === 'powered off') victim.host.powerOff()
    else fabric.partition(client, server)
    if (fate === 'cut for a second') client.clock.setTimer(() => fabric.heal(), 1000)
  }
}

function random(fabric: SimulatedFabric): number {
  return fabric.random.below(fabric.random.chance(0.5) ? 100 : 1500)
}

function check(end: End, peer: End, fate: Fate): void {
  const { transport, received } = end
  const { error } = transport
  assert.ok(received <= peer.sent, `${received} bytes received of ${peer.sent}`)
  if (fate === 'nothing') assert.equal(error, undefined)
  if (fate === 'nothing' && !end.byDisconnect) assert.equal(received, peer.sent)
  if (error === undefined && !end.byDisconnect) {
    assert.equal(received, peer.sent, 'a clean end before everything was there')
  }
  assert.equal(transport.sendsInFlight, 0)
  // Beside credits there may be fillers, once, for as many receives as the peer had.
  assert.ok(
    transport.controlFramesSent <= end.sends + peer.sends + 64 + received / 500,
    `${transport.controlFramesSent} control frames with ${end.sends} sends, and ${peer.sends} of the peer`,
  )
}

/** Waits until everything of a host is given back. */
async function nothingOpen(host: SimulatedHost): Promise<void> {
  const left = () => Object.entries(openCounts(host.name, host)).filter(([, count]) => count !== 0)
  for (let tries = 0; left().length > 0; tries++) {
    assert.ok(
      tries < 50,
      `left open: ${left()
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}`,
    )
    await new Promise<void>((resolve) => host.clock.setTimer(resolve, 200))
  }
}
