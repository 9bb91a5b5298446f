/**
 * A storm: many connections at once, every other one of which ends by a fault of its own while the rest go on, and must
 * not notice. Whatever happens to one connection is its own.
 */
import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { type Connection, connect, type HostAddress, listen, type NettsError } from '@netts/core'
import {
  ENTRY,
  type QueuePair,
  SEND,
  SendFlag,
  SendOpcode,
  type SendWorkRequest,
  type Verbs,
  writeSend,
} from '@netts/verbs'
import type { RdmaOptions } from '@netts/verbs/endpoint'
import type { TestedDriver } from './tested-driver.js'

/** How large the storm is. */
export interface StormOptions<O extends RdmaOptions> {
  /** Connections, of which every other one fails. */
  readonly connections: number
  /** Messages that each of the others passes both ways, in each of three phases: before, meanwhile and after. */
  readonly rounds: number
  readonly options: O
}

/** One connection: both ends, and the near end's queue pair. */
interface Link {
  readonly near: Connection
  readonly far: Connection
  readonly queuePair: QueuePair
}

/** Connections that are made at a time. */
const AT_ONCE = 32
const MOST_BYTES = 6000
/** What a connection may end with, whose fault it was or who had it as a peer. */
const ENDS = new Set([
  'ERR_NETTS_DESTROYED',
  'ERR_NETTS_RESET',
  'ERR_NETTS_PEER_LOST',
  'ERR_NETTS_PROTOCOL',
  'ERR_NETTS_VERBS',
])

/** What goes wrong with a connection. */
const FAULTS: Readonly<Record<string, (link: Link, bytes: Uint8Array) => void>> = {
  'the near program destroys it': ({ near }) => near.destroy(),
  'the far program destroys it with an error': ({ far }) => far.destroy(new Error('enough') as NettsError),
  'its queue pair fails': ({ queuePair }) => queuePair.moveToError(),
  'it writes where it must not': ({ queuePair }) => writeWrongly(queuePair),
  'it says what the protocol forbids': ({ queuePair }) => post(queuePair, { opcode: SendOpcode.send }),
  'it ends in the midst of a message': ({ near }, bytes) => {
    near.trySend(bytes)
    near.destroy()
  },
}

/**
 * Runs the storm over verbs that both ends share.
 * @returns what the failed ends ended with, and how often
 */
export async function storm<O extends RdmaOptions>(
  driver: TestedDriver<O>,
  verbs: Verbs,
  address: HostAddress,
  { connections, rounds, options }: StormOptions<O>,
): Promise<Record<string, number>> {
  const links = await open(driver, verbs, address, connections, options)
  const doomed = links.filter((_, index) => index % 2 === 0)
  const untouched = links.filter((_, index) => index % 2 === 1)
  const pass = () => Promise.all(untouched.map((link) => exchange(link, rounds)))
  await pass()
  const meanwhile = pass()
  const ends: Record<string, number> = {}
  const faults = Object.values(FAULTS)
  for (const [index, link] of doomed.entries()) {
    faults[index % faults.length]!(link, randomBytes())
    if (index % AT_ONCE === AT_ONCE - 1) await nextTurn()
  }
  for (const code of await Promise.all(doomed.flatMap(({ near, far }) => [codeOf(near), codeOf(far)]))) {
    ends[code] = (ends[code] ?? 0) + 1
  }
  await meanwhile
  await pass()
  for (const { near, far } of untouched) {
    const [one, other] = [near.close(), far.close()]
    await Promise.all([one, other])
    assert.equal(await near.closed, undefined)
    assert.equal(await far.closed, undefined)
  }
  for (const code of Object.keys(ends)) assert(ENDS.has(code), `one that failed ended with ${code}`)
  return ends
}

/** All connections, each with its queue pair: those of the connecting ids, which come one after the other. */
async function open<O extends RdmaOptions>(
  driver: TestedDriver<O>,
  verbs: Verbs,
  address: HostAddress,
  count: number,
  options: O,
): Promise<Link[]> {
  const builder = driver.buildOver({ ...options, verbs })
  const queuePairs = watchQueuePairs(verbs)
  const server = await listen(builder, address, { backlog: 2 * AT_ONCE })
  const links: Link[] = []
  const connectOne = async () => {
    const near = await connect(builder, server.address as HostAddress, { timeoutMs: 60_000 })
    await near.send(Buffer.from(JSON.stringify((near.localAddress as HostAddress).port)))
    return near
  }
  while (links.length < count) {
    const many = Math.min(AT_ONCE, count - links.length)
    const [nears, fars] = await Promise.all([
      Promise.all(Array.from({ length: many }, connectOne)),
      Promise.all(Array.from({ length: many }, async () => (await server.accept())!)),
    ])
    const farByPort = new Map<number, Connection>()
    for (const far of fars) farByPort.set(JSON.parse(String(await far.recv())) as number, far)
    for (const near of nears) {
      const { port } = near.localAddress as HostAddress
      links.push({ near, far: farByPort.get(port)!, queuePair: queuePairs.of(port) })
    }
  }
  await server.close()
  queuePairs.stop()
  return links
}

/** Sees the queue pairs that are made, by the local port of their connection. */
function watchQueuePairs(verbs: Verbs) {
  const { createCmId } = verbs
  const ids: ReturnType<Verbs['createCmId']>[] = []
  verbs.createCmId = () => {
    const id = createCmId.call(verbs)
    ids.push(id)
    return id
  }
  return {
    of(port: number): QueuePair {
      const id = ids.find(
        ({ localAddress, queuePair }) => localAddress?.port === port && queuePair !== undefined,
      )
      assert(id?.queuePair)
      return id.queuePair
    },
    stop: () => {
      verbs.createCmId = createCmId
    },
  }
}

/** What an end ends with, once everything that arrived before was taken. */
async function codeOf(end: Connection): Promise<string> {
  const takeAll = async () => {
    while ((await end.recv()) !== undefined);
  }
  await takeAll().catch(() => {})
  return (await end.closed)?.code ?? 'none'
}

/** Passes messages of random sizes both ways, and compares them. */
async function exchange({ near, far }: Link, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const [there, back] = [randomBytes(), randomBytes()]
    const [atFar, atNear] = await Promise.all([far.recv(), near.recv(), near.send(there), far.send(back)])
    assert(atFar && there.equals(atFar), 'what arrived is not what was sent')
    assert(atNear && back.equals(atNear), 'what arrived is not what was sent')
  }
}

function randomBytes(): Buffer {
  return randomFillSync(Buffer.allocUnsafe(1 + Math.floor(Math.random() * MOST_BYTES)))
}

/** Writes to memory that the peer has not, from whatever the driver sent last from its first record. */
function writeWrongly(queuePair: QueuePair): void {
  const region = { id: queuePair.sendRequests[SEND.headerWords + ENTRY.regionId]! }
  post(queuePair, {
    opcode: SendOpcode.write,
    flags: SendFlag.signalled,
    entries: [{ region, byteLength: 8 }],
    remoteAddress: 4096n,
    remoteKey: 0x7fff_ff00,
  })
}

/** Posts one request of nobody's on a driver's queue pair. */
function post(queuePair: QueuePair, request: SendWorkRequest): void {
  writeSend(queuePair, 0, request)
  assert.equal(queuePair.postSend(1), 1)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
