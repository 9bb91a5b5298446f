/** `netts doctor --peer`: asks the doctor on the other host, and tries every wire. */
import { type Connection, connect, type HostAddress, isNettsError, NettsError } from '@netts/core'
import { tcp } from '@netts/tcp'
import { driverFor } from '../../drivers.js'
import { roundTrips } from '../../measure/measure.js'
import { risen } from '../counters.js'
import type { Attempt, Losses, PeerFacts, WireFacts } from './facts.js'
import {
  type Answers,
  type Greeting,
  PEER_VERSION,
  parse,
  pattern,
  type Question,
  REQUEST,
  WIRES,
  type Wire,
} from './messages.js'
import { greeting, hostCounters } from './route.js'

const SMALL_BYTES = 64
const LARGE_BYTES = 4 << 20
/** How long each measurement takes, in milliseconds; there are three for each wire. */
const MEASURE_MS = 500

/** Options of {@link examine}. */
export interface ExamineOptions {
  /** How long each step may take, in milliseconds. */
  readonly timeoutMs: number
  /** Called before each step. */
  readonly onStep: (step: string) => void
}

/** Finds the facts about a peer. Rejects if the other doctor cannot be reached, or has another version of the protocol. */
export async function examine(
  address: HostAddress,
  { timeoutMs, onStep }: ExamineOptions,
): Promise<PeerFacts> {
  onStep('asking the other doctor')
  const began = performance.now()
  const control = await connect(tcp(), address, { timeoutMs })
  const connectMs = performance.now() - began
  try {
    const ask = async <Q extends Question>(question: Q): Promise<Answers[Q['ask']]> => {
      const signal = AbortSignal.timeout(timeoutMs)
      await control.send(Buffer.from(JSON.stringify(question)), { signal })
      const answer = await control.recv({ signal })
      if (answer === undefined)
        throw new NettsError('ERR_NETTS_CLOSED', 'the other doctor closed the connection', { address })
      return parse(answer) as Answers[Q['ask']]
    }
    const there = await ask({ ask: 'greeting' })
    if (there.version !== PEER_VERSION) {
      throw new NettsError(
        'ERR_NETTS_PROTOCOL',
        'the other doctor has another version of the protocol: install the same @netts/cli on both hosts',
      )
    }
    const here = greeting((control.localAddress as HostAddress).host)
    const wires: WireFacts[] = []
    for (const wire of WIRES) {
      onStep(`trying ${wire}`)
      const why = wire === 'tcp' ? undefined : reasonToSkip(here, there)
      wires.push(why === undefined ? await tryWire(wire) : { wire, skipped: why })
    }
    await control.close()
    return { peer: address.host, connectMs, here, there, wires }

    async function tryWire(wire: Wire): Promise<WireFacts> {
      const listening = await ask({ ask: 'listen', wire })
      if ('error' in listening) return { wire, skipped: `the peer cannot listen: ${listening.error}` }
      const before = { here: hostCounters(here.route.device), there: await ask({ ask: 'counters' }) }
      const host = there.route.address
      const found = await tryConnection(wire, { host, port: listening.port }, timeoutMs)
      await ask({ ask: 'stop' })
      const after = { here: hostCounters(here.route.device), there: await ask({ ask: 'counters' }) }
      const losses: Losses = {
        here: risen(before.here.device, after.here.device),
        there: risen(before.there.device, after.there.device),
        tcpHere: after.here.tcpRetransmissions - before.here.tcpRetransmissions,
        tcpThere: after.there.tcpRetransmissions - before.there.tcpRetransmissions,
      }
      return { ...found, losses }
    }
  } finally {
    control.destroy()
  }
}

/** Why RDMA cannot be tried along this route. */
function reasonToSkip(here: Greeting, there: Greeting): string | undefined {
  const ends = [
    { route: here.route, whose: 'this host' },
    { route: there.route, whose: 'the peer' },
  ]
  for (const { route, whose } of ends) {
    if (route.device !== undefined) continue
    const others = route.rdmaAddresses
    const where = others.length === 0 ? 'and none of its addresses is' : `but ${others.join(', ')} of it`
    return `the address ${route.address} of ${whose} is on no RDMA device, ${where}`
  }
  return undefined
}

/** Tries a wire, with a new connection for each step: a connection that is stuck says nothing about the next step. */
async function tryConnection(wire: Wire, address: HostAddress, timeoutMs: number): Promise<WireFacts> {
  const builder = await driverFor(wire)
  const limits = {
    timeoutMs,
    stallTimeoutMs: timeoutMs,
    messageTimeoutMs: timeoutMs,
    closeTimeoutMs: timeoutMs,
  }
  const step = <T extends object>(work: (connection: Connection) => Promise<T>) =>
    attempt(async () => {
      const connection = await connect(builder, address, limits)
      try {
        const result = await work(connection)
        await connection.close()
        return result
      } finally {
        connection.destroy()
      }
    })
  const began = performance.now()
  const connected = await step(async () => ({ tookMs: performance.now() - began }))
  if (connected.failed) return { wire, connect: connected }
  const small = pattern(SMALL_BYTES, REQUEST.echo)
  const times = await step((connection) =>
    roundTrips(connection, small, {
      durationMs: MEASURE_MS,
      signal: AbortSignal.timeout(timeoutMs + MEASURE_MS),
    }),
  )
  if (times.failed) return { wire, connect: connected, roundTrips: times }
  const toPeer = await step((connection) => rate(timeoutMs, pushes(connection)))
  const fromPeer = await step((connection) => rate(timeoutMs, pulls(connection)))
  return { wire, connect: connected, roundTrips: times, toPeer, fromPeer }
}

/** One transfer, within its deadline. */
type Transfer = (signal: AbortSignal) => Promise<void>

/** Transfers until the time is over. @returns the throughput */
async function rate(timeoutMs: number, transfer: Transfer): Promise<{ bytesPerSecond: number }> {
  const began = performance.now()
  let [elapsed, transferred] = [0, 0]
  while (elapsed < MEASURE_MS) {
    await transfer(AbortSignal.timeout(timeoutMs))
    transferred += LARGE_BYTES
    elapsed = performance.now() - began
  }
  return { bytesPerSecond: (transferred * 1000) / elapsed }
}

function pushes(connection: Connection): Transfer {
  const message = pattern(LARGE_BYTES, REQUEST.take)
  return async (signal) => {
    await connection.send(message, { signal })
    const answer = await connection.recv({ signal })
    if (answer?.[0] !== 1) {
      throw new NettsError(
        'ERR_NETTS_PROTOCOL',
        'the bytes that arrived at the peer differ from those that were sent',
      )
    }
  }
}

function pulls(connection: Connection): Transfer {
  const request = Buffer.alloc(5, REQUEST.give)
  request.writeUInt32BE(LARGE_BYTES, 1)
  const expected = pattern(LARGE_BYTES, REQUEST.give)
  return async (signal) => {
    await connection.send(request, { signal })
    using answer = await connection.recvLease({ signal })
    if (answer === undefined || Buffer.compare(answer.bytes, expected) !== 0) {
      throw new NettsError(
        'ERR_NETTS_PROTOCOL',
        'the bytes that arrived here differ from those that the peer sent',
      )
    }
  }
}

async function attempt<T extends object>(work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { failed: false, ...(await work()) }
  } catch (error) {
    if (!isNettsError(error)) throw error
    return { failed: true, code: error.code, message: error.message }
  }
}
