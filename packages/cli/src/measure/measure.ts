/** Measures a connection whose peer sends back what it gets, and checks what comes back. */
import { type Connection, NettsError } from '@netts/core'
import { type Times, timesOf } from './percentiles.js'

/** Sends a message, waits for it to come back, and compares. @returns how long that took, in microseconds */
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
      `the peer sent ${answer.byteLength} bytes that are not those of the message of ${message.byteLength} bytes`,
    )
  }
}

/** How long to measure, and when to stop. */
export interface Limits {
  /** It measures for at least so long. */
  readonly durationMs: number
  readonly signal?: AbortSignal | undefined
  /** Told now and then how long it has measured, in milliseconds. */
  readonly onProgress?: ((elapsedMs: number) => void) | undefined
}

/** One message after the other, for a time. */
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

/** What went through in a time. */
export interface Throughput {
  readonly messagesPerSecond: number
  /** One way; as much comes back. */
  readonly bytesPerSecond: number
}

/** Many messages under way at a time. */
export async function throughput(
  connection: Connection,
  message: Uint8Array,
  depth: number,
  { durationMs, signal, onProgress }: Limits,
): Promise<Throughput> {
  const began = performance.now()
  let [sent, answered] = [0, 0]
  let elapsed = 0
  /** Settled by whatever lets more be sent, or ends it. */
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
