/** Pools over real RDMA, and several wires on one port, for any test runner: on the loopback device and on the lab's. */
import assert from 'node:assert/strict'
import {
  type Connection,
  connect,
  type HostAddress,
  isNettsError,
  type ListeningAddress,
  listen,
  preferring,
  wireOf,
} from '@netts/core'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { openVerbs } from '@netts/verbs'
import { createPool, type PoolEvent, reconnectExponential } from '../../src/index.js'
import { checkAnswers, end, type Ground, serve, sleep, until, untilNothingIsOpen } from './ground.js'
import { Peer, WIRES } from './peer.js'

const RDMA = ['rdma-sendrecv', 'rdma-ring']

/** Pools, and several wires on one port. */
export function poolSuite(ground: Ground): void {
  const { describe, it } = ground
  describe(`pools over RDMA on ${ground.name}`, () => {
    for (const wire of RDMA) {
      it(`${wire}: many callers borrow few connections`, () => lendConnections(ground, wire))
      it(`${wire}: many callers share few connections`, () => shareConnections(ground, wire))
    }
    it('three wires listen on one port, or none does', () => listenOnOnePort(ground))
  })
}

/** Servers that die. */
export function killSuite(ground: Ground): void {
  const { describe, it } = ground
  describe(`servers that die under a pool on ${ground.name}`, () => {
    for (const wire of RDMA) {
      it(`${wire}: one that is killed and started again costs errors with a cause alone`, () =>
        surviveKill(ground, wire))
    }
  })
}

async function surviveKill(
  { program, host, workers: count, timeoutMs }: Ground,
  wire: string,
): Promise<void> {
  const start = (port: number) =>
    Peer.start(program, { role: 'echo', wires: [wire], address: { host, port } })
  const first = await start(0)
  const { address } = first
  const events: PoolEvent[] = []
  const pool = createPool({
    builder: WIRES[wire]!(),
    endpoints: [address],
    max: 4,
    // Longer than four handshakes take where everything is slow.
    acquireTimeoutMs: 2 * timeoutMs,
    reconnect: reconnectExponential({ baseMs: 20, capMs: 200, random: () => 0.999 }),
    onEvent: (event) => events.push(event),
  })
  let answered = 0
  let isOver = false
  const errors: (Error & { readonly code?: string })[] = []
  const work = async () => {
    while (!isOver) {
      try {
        await pool.use(checkAnswers)
        answered++
      } catch (error) {
        errors.push(error as Error)
      }
      await sleep(0)
    }
  }
  const workers = Array.from({ length: count }, work)
  await until(() => answered > 10 * count)
  assert.deepEqual(errors, [])
  const before = pool.stats.endpoints[0]!.attempts
  await first[Symbol.asyncDispose]()
  await until(() => pool.endpoints[0]!.failures > 2)
  const rounds = pool.endpoints[0]!.failures
  const attempts = pool.stats.endpoints[0]!.attempts - before
  // As many as may be under way at once, and then one for each round of the policy.
  assert.ok(attempts <= 8 + rounds + 1, `${attempts} attempts in ${rounds} rounds`)

  await using _second = await start(address.port)
  const answeredBefore = answered
  await until(() => answered > answeredBefore + 10 * count)
  assert.equal(pool.endpoints[0]!.failures, 0)
  isOver = true
  await Promise.all(workers)
  for (const { code = '', cause } of errors) {
    // Without an answer, the peer had ended.
    assert.match(code, /^ERR_(ASSERTION|NETTS_(TIMEOUT|RESET|PEER_LOST|CLOSED|VERBS))$/)
    if (code.endsWith('TIMEOUT')) assert.ok(isNettsError(cause))
  }
  const { idle, lent, waiting, connecting } = pool.stats
  assert.deepEqual({ lent, waiting, connecting }, { lent: 0, waiting: 0, connecting: 0 })
  const told = (type: PoolEvent['type']) => events.filter((event) => event.type === type).length
  assert.equal(told('connect') - told('retire'), idle)
  assert.deepEqual(pool.stats.endpoints[0]!.wires, { [wire]: idle })
  await pool.close()
  await untilNothingIsOpen()
}

async function lendConnections({ host, workers: count }: Ground, wire: string): Promise<void> {
  const builder = WIRES[wire]!()
  const server = await serve(builder, { host, port: 0 })
  const pool = createPool({ builder, endpoints: [server.address], max: 2 })
  const work = async () => {
    for (let round = 0; round < 5; round++) await pool.use(checkAnswers)
  }
  await Promise.all(Array.from({ length: count }, work))
  assert.ok(server.connections.size <= 2)
  assert.equal(pool.stats.endpoints[0]!.acquired, 5 * count)
  assert.deepEqual(pool.stats.endpoints[0]!.wires, { [wire]: server.connections.size })
  await pool.close()
  await end(server)
  await untilNothingIsOpen()
}

async function shareConnections({ host }: Ground, wire: string): Promise<void> {
  const builder = WIRES[wire]!()
  const server = await serve(builder, { host, port: 0 })
  const pool = createPool({
    builder,
    endpoints: [server.address],
    mode: 'share',
    min: 2,
    max: 2,
    prepare: multiplexer,
  })
  await pool.ready()
  const ask = (number: number) =>
    pool.use(async ({ session }) =>
      assert.equal(await session.ask(`question ${number}`), `question ${number}`),
    )
  for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 40 }, (_, n) => ask(n)))
  assert.equal(server.connections.size, 2)
  assert.equal(pool.stats.endpoints[0]!.acquired, 200)
  await pool.close()
  await end(server)
  await untilNothingIsOpen()
}

/** Questions with a number, whose answers begin with the same. */
function multiplexer(connection: Connection) {
  let last = 0
  const waiting = new Map<string, (answer: string) => void>()
  const read = async () => {
    for await (const answer of connection) {
      const [number, text] = String(answer).split('/') as [string, string]
      waiting.get(number)?.(text)
      waiting.delete(number)
    }
  }
  read().catch(() => {})
  return {
    async ask(question: string): Promise<string> {
      const number = `${++last}`
      const answered = new Promise<string>((resolve) => waiting.set(number, resolve))
      await connection.send(Buffer.from(`${number}/${question}`))
      return answered
    },
  }
}

async function listenOnOnePort({ host, isIwarp }: Ground): Promise<void> {
  const builder = preferring(ring(), sendRecv(), tcp())
  const all = () => listen(builder, { host, port: 0 })
  if (isIwarp) {
    // Its connection manager takes the kernel's TCP port.
    await assert.rejects(all(), {
      code: 'ERR_NETTS_LISTEN_FAILED',
      message: /^tcp cannot listen at the same address as rdma-ring and rdma-sendrecv: .*iWARP/,
    })
    await untilNothingIsOpen()
    const plain = await listen(tcp(), { host, port: 0 })
    await assert.rejects(listen(sendRecv(), plain.address), {
      code: 'ERR_NETTS_LISTEN_FAILED',
      message: /On iWARP it takes the TCP port/,
    })
    await plain.close()
    await untilNothingIsOpen()
  }
  const server = await serve(
    isIwarp
      ? preferring(
          { builder: ring() },
          { builder: sendRecv() },
          { builder: tcp(), address: { host, port: 0 } },
        )
      : builder,
    { host, port: 0 },
  )
  const addresses = server.addresses as readonly (ListeningAddress & { address: HostAddress })[]
  assert.deepEqual(
    addresses.map(({ wire }) => wire),
    ['rdma-ring', 'rdma-sendrecv', 'tcp'],
  )
  const ports = new Set(addresses.map(({ address }) => address.port))
  assert.equal(ports.size, isIwarp ? 2 : 1)
  for (const { wire, address } of addresses) {
    const connection = await connect(WIRES[wire]!(), address)
    await checkAnswers(connection)
    await connection.close()
  }
  const preferred = await connect(builder, server.address)
  assert.equal(wireOf(preferred.transport), 'rdma-ring')
  await checkAnswers(preferred)
  await preferred.close()
  // Somebody has the number on one of the wires: then no wire takes it.
  if (!isIwarp) {
    const plain = await listen(tcp(), { host, port: 0 })
    const before = openVerbs().counts.cmIds
    await assert.rejects(listen(builder, plain.address), { code: 'ERR_NETTS_LISTEN_FAILED' })
    await until(() => openVerbs().counts.cmIds === before)
    await plain.close()
  }
  await end(server)
  await untilNothingIsOpen()
}
