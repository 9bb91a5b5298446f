/** What `preferring` does when real RDMA can't be had, for any test runner: on the loopback device and on the lab's. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  connect,
  DIAGNOSTICS_CHANNELS,
  type HostAddress,
  listen,
  preferring,
  type WireFallbackEvent,
  wireOf,
} from '@netts/core'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { checkAnswers, end, type Ground, serve, until, untilNothingIsOpen } from './ground.js'
import { type Moment, Peer } from './peer.js'

/** What `preferring` does when RDMA can't be had. */
export function fallSuite(ground: Ground): void {
  const { describe, it } = ground
  describe(`preferring RDMA on ${ground.name}`, () => {
    it('falls to TCP when nobody listens for it', () => fallWhenNobodyListens(ground))
    it('falls to TCP when the listener runs another driver', () => fallWhenRefused(ground))
    it('falls to TCP when RDMA is swallowed, within one deadline', () => fallWhenSwallowed(ground))
    it('falls to TCP when the server is stopped, where the ghost of the attempt ends cleanly', () =>
      fallWhenStopped(ground))
    for (const moment of ground.moments) {
      it(`falls to TCP when the server dies at ${moment} of its handshake`, () =>
        fallWhenKilledAt(ground, moment))
      it(`falls to TCP when the server stops at ${moment} of its handshake`, () =>
        fallWhenStoppedAt(ground, moment))
    }
  })
}

/** What an attempt over RDMA ended with, in a connection that preferred it, and fell to TCP. */
async function fall({ timeoutMs }: Ground, rdmaAddress: HostAddress): Promise<WireFallbackEvent> {
  const plain = await serve(tcp(), { host: '127.0.0.1', port: 0 })
  const builder = preferring({ builder: sendRecv(), address: rdmaAddress }, tcp())
  const told: WireFallbackEvent[] = []
  const onFallback = (message: unknown) => void told.push(message as WireFallbackEvent)
  subscribe(DIAGNOSTICS_CHANNELS.wireFallback, onFallback)
  try {
    const connection = await connect(builder, plain.address, { timeoutMs })
    assert.equal(wireOf(connection.transport), 'tcp')
    await checkAnswers(connection)
    await connection.close()
  } finally {
    unsubscribe(DIAGNOSTICS_CHANNELS.wireFallback, onFallback)
    await end(plain)
  }
  const [event] = told
  assert.equal(told.length, 1)
  assert.deepEqual(builder.fallbacks[0]!.counts, { [event!.reason]: 1 })
  return event!
}

async function fallWhenNobodyListens(ground: Ground): Promise<void> {
  const { host } = ground
  const once = await listen(sendRecv(), { host, port: 0 })
  const address = once.address as HostAddress
  await once.close()
  assert.equal((await fall(ground, address)).reason, 'ERR_NETTS_CONNECT_FAILED')
  await untilNothingIsOpen()
}

async function fallWhenRefused(ground: Ground): Promise<void> {
  const server = await serve(ring(), { host: ground.host, port: 0 })
  const { reason, error } = await fall(ground, server.address as HostAddress)
  assert.equal(reason, 'ERR_NETTS_REJECTED')
  assert.match(error.message, /the peer runs driver 1, not 2/)
  await end(server)
  await untilNothingIsOpen()
}

async function fallWhenSwallowed(ground: Ground): Promise<void> {
  const { reason, error } = await fall(ground, { host: ground.silentHost, port: 4711 })
  if (reason === 'ERR_NETTS_TIMEOUT')
    assert.match(error.message, new RegExp(`within ${ground.timeoutMs / 2} ms`))
  // Some networks know that nobody is there.
  else assert.equal(reason, 'ERR_NETTS_CONNECT_FAILED')
  await untilNothingIsOpen()
}

/** The kernel goes on for a process that is stopped: its TCP connects, and RDMA waits for the program. */
async function fallWhenStopped({ host, program, timeoutMs, isIwarp }: Ground): Promise<void> {
  const wires = isIwarp ? ['rdma-sendrecv'] : ['rdma-sendrecv', 'tcp']
  await using server = await Peer.start(program, { role: 'echo', wires, address: { host, port: 0 } })
  const plain = isIwarp ? await serve(tcp(), { host: '127.0.0.1', port: 0 }) : undefined
  server.signal('SIGSTOP')
  const builder = preferring(sendRecv(), plain ? { builder: tcp(), address: plain.address } : tcp())
  const connection = await connect(builder, server.address, { timeoutMs })
  assert.equal(wireOf(connection.transport), 'tcp')
  assert.deepEqual(builder.fallbacks[0]!.counts, { ERR_NETTS_TIMEOUT: 1 })
  await untilNothingIsOpen()
  server.signal('SIGCONT')
  await checkAnswers(connection)
  await untilOnlyListening(server)
  const again = await connect(sendRecv(), server.address)
  await checkAnswers(again)
  await Promise.all([again.close(), connection.close()])
  await untilOnlyListening(server)
  if (plain) await end(plain)
  await untilNothingIsOpen()
}

async function untilOnlyListening(server: Peer): Promise<void> {
  await until(async () => {
    const { queuePairs, cmIds } = await server.counts()
    return queuePairs === 0 && cmIds === 1
  })
}

async function fallWhenKilledAt(ground: Ground, moment: Moment): Promise<void> {
  const { host, program } = ground
  const address = { host, port: 0 }
  await using server = await Peer.start(program, { role: 'fault', address, moment, signal: 'SIGKILL' })
  const { reason } = await fall(ground, server.address)
  assert.match(reason, /^ERR_NETTS_(CONNECT_FAILED|REJECTED)$/)
  await untilNothingIsOpen()
}

async function fallWhenStoppedAt(ground: Ground, moment: Moment): Promise<void> {
  const { host, program, timeoutMs } = ground
  const address = { host, port: 0 }
  await using server = await Peer.start(program, { role: 'fault', address, moment, signal: 'SIGSTOP' })
  const { reason, error } = await fall(ground, server.address)
  assert.equal(reason, 'ERR_NETTS_TIMEOUT')
  assert.match(error.message, new RegExp(`within ${timeoutMs / 2} ms`))
  await untilNothingIsOpen()
  // The ghost: the server goes on with a handshake whose client has gone.
  server.signal('SIGCONT')
  await untilOnlyListening(server)
}
