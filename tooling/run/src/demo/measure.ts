/** The client's side of the demonstration: round trips and streams, every byte verified. */
import type { Connection } from '@netts/core'
import { VerifiedPayload } from './payload.js'
import type { Job } from './service.js'

/** What one transport did. */
export interface Measurement {
  /** 64 B round trip, median and 99th percentile, in microseconds. */
  readonly roundTripP50: number
  readonly roundTripP99: number
  /** 64 B messages a second, one way. */
  readonly messagesPerSecond: number
  /** 64 KiB messages, one way, in 10^6 bytes a second. */
  readonly megabytesPerSecond: number
}

/** How many messages each part sends. */
export interface Amounts {
  /** How long round trips are sent before anything is measured, so that V8 has compiled what runs. */
  readonly warmupMs: number
  readonly roundTrips: number
  readonly smallMessages: number
  readonly largeMessages: number
}

type Connect = () => Promise<Connection>

/** Called with the messages that were sent since the last call. */
export type Progress = (messages: number) => void

/** Round trips on one connection while warming up. */
const WARMUP_TRIPS = 200
/** So much of a stream warms up before it is measured. */
const WARMUP_SHARE = 0.1

async function warmUp(connect: Connect, { warmupMs, smallMessages, largeMessages }: Amounts): Promise<void> {
  const nothing = () => {}
  const until = performance.now() + warmupMs
  while (performance.now() < until) await roundTrips(connect, WARMUP_TRIPS, nothing)
  await stream(connect, 64, smallMessages * WARMUP_SHARE, nothing)
  await stream(connect, 64 * 1024, largeMessages * WARMUP_SHARE, nothing)
}

/** Measures one transport once it is warm, a new connection for each part. */
export async function measure(connect: Connect, amounts: Amounts, progress: Progress): Promise<Measurement> {
  await warmUp(connect, amounts)
  const latencies = await roundTrips(connect, amounts.roundTrips, progress)
  const small = await stream(connect, 64, amounts.smallMessages, progress)
  const large = await stream(connect, 64 * 1024, amounts.largeMessages, progress)
  return {
    roundTripP50: percentile(latencies, 0.5),
    roundTripP99: percentile(latencies, 0.99),
    messagesPerSecond: amounts.smallMessages / small,
    megabytesPerSecond: (amounts.largeMessages * 64 * 1024) / large / 1e6,
  }
}

/** @returns latencies in microseconds, in ascending order, the first tenth left out: the connection is new */
async function roundTrips(connect: Connect, count: number, progress: Progress): Promise<number[]> {
  const connection = await open(connect, { mode: 'echo', byteLength: 64, count })
  const payload = new VerifiedPayload(64)
  const latencies: number[] = []
  for (let sequence = 0; sequence < count; sequence++) {
    const start = performance.now()
    await connection.send(payload.make(sequence))
    const lease = await connection.recvLease()
    if (!lease) throw new Error(`the server ended after ${sequence} of ${count} round trips`)
    latencies.push((performance.now() - start) * 1000)
    if (!payload.verify(sequence, lease.chunk, lease.byteOffset, lease.byteLength)) {
      throw new Error(`echo ${sequence} arrived damaged`)
    }
    lease.release()
    progress(1)
  }
  await connection.close()
  return latencies.slice(count / 10).sort((a, b) => a - b)
}

/** @returns how long it took until the server had verified everything, in seconds */
async function stream(
  connect: Connect,
  byteLength: number,
  count: number,
  progress: Progress,
): Promise<number> {
  const connection = await open(connect, { mode: 'sink', byteLength, count })
  const payload = new VerifiedPayload(byteLength)
  const start = performance.now()
  for (let sequence = 0; sequence < count; sequence++) {
    const message = payload.make(sequence)
    if (!connection.trySend(message)) await connection.send(message)
    progress(1)
  }
  const answer = await connection.recv()
  if (answer?.toString() !== 'verified') throw new Error('the server did not verify the stream')
  const seconds = (performance.now() - start) / 1000
  await connection.close()
  return seconds
}

async function open(connect: Connect, job: Job): Promise<Connection> {
  const connection = await connect()
  await connection.send(Buffer.from(JSON.stringify(job)))
  return connection
}

function percentile(ascending: readonly number[], fraction: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * fraction))] ?? Number.NaN
}
