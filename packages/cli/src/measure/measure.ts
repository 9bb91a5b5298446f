/** Measures a connection to a peer that sends every message back, and compares the bytes. */
import { type Connection, NettsError } from '@netts/core'
import { type Times, timesOf } from './percentiles.js'

/** Sends a message, waits until it comes back, and compares the bytes. @returns the time, in microseconds */
export async function roundTrip(
  connection: Connection,
  message: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  const began = performance.now()
  await connection.send(message, { signal })
  using answer = await connection.recvLease({ signal })
  const tookMicroseconds = (performance.now() - began) * 1000
  checkAnswer(answer?.bytes, message)
  return tookMicroseconds
}

/** @throws NettsError `ERR_NETTS_PROTOCOL` unless the answer is the message */
function checkAnswer(answer: Uint8Array | undefined, message: Uint8Array): void {
  if (answer === undefined) throw new NettsError('ERR_NETTS_CLOSED', 'the peer ended the connection')
  if (Buffer.compare(answer, message) !== 0) {
    throw new NettsError(
      'ERR_NETTS_PROTOCOL',
      `the answer of ${answer.byteLength} bytes differs from the message of ${message.byteLength} bytes`,
    )
  }
}

/** How long to measure, and when to stop. */
export interface Limits {
  /** How long to measure at least, in milliseconds. */
  readonly durationMs: number
  readonly signal?: AbortSignal | undefined
  /** Called from time to time with the time since the beginning, in milliseconds. */
  readonly onProgress?: ((elapsedMs: number) => void) | undefined
}

/** Sends one message after the other, for a time. @returns the times of the round trips */
export async function roundTrips(
  connection: Connection,
  message: Uint8Array,
  { durationMs, signal, onProgress }: Limits,
): Promise<Times> {
  const times: number[] = []
  const began = performance.now()
  for (let elapsed = 0; elapsed < durationMs || times.length === 0; elapsed = performance.now() - began) {
    times.push(await roundTrip(connection, message, signal))
    onProgress?.(Math.min(elapsed, durationMs))
  }
  return timesOf(times)
}

/** A throughput. */
export interface Throughput {
  readonly messagesPerSecond: number
  /** In one direction; the same amount comes back. */
  readonly bytesPerSecond: number
}

/** Keeps `depth` messages in flight, for a time. @returns the throughput */
export async function throughput(
  connection: Connection,
  message: Uint8Array,
  depth: number,
  { durationMs, signal, onProgress }: Limits,
): Promise<Throughput> {
  const began = performance.now()
  let [sent, answered] = [0, 0]
  let elapsed = 0
  /** Sends that have not settled. */
  const sends = new Set<Promise<void>>()
  let failed: unknown
  const send = () => {
    sent++
    const sending = connection.send(message, { signal }).catch((error: unknown) => {
      failed ??= error
    })
    sends.add(sending)
    void sending.then(() => sends.delete(sending))
  }
  while (sent < depth) send()
  while (answered < sent) {
    using answer = await connection.recvLease({ signal })
    if (failed !== undefined) throw failed
    checkAnswer(answer?.bytes, message)
    answered++
    elapsed = performance.now() - began
    onProgress?.(Math.min(elapsed, durationMs))
    if (elapsed < durationMs) send()
  }
  await Promise.all(sends)
  const perSecond = (answered * 1000) / elapsed
  return { messagesPerSecond: perSecond, bytesPerSecond: perSecond * message.byteLength }
}
