/** Connects to itself over RDMA, through a whole driver. */
import { connect, isNettsError, listen } from '@netts/core'
import { driverFor } from '../../drivers.js'
import type { SelfConnectionFacts } from '../facts.js'

const TIMEOUT_MS = 5_000
const ROUND_TRIPS = 20
const SMALL_BYTES = 64
const LARGE_BYTES = 1 << 20

/** Sends small messages and a large one to itself, and compares the bytes that come back. */
export async function connectToItself(address: string): Promise<SelfConnectionFacts> {
  try {
    const roundTripMicroseconds = await exchange(address)
    return { address, error: undefined, roundTripMicroseconds }
  } catch (error) {
    if (!isNettsError(error)) throw error
    return { address, error: `${error.message} (${error.code})`, roundTripMicroseconds: undefined }
  }
}

async function exchange(host: string): Promise<number> {
  const limits = { stallTimeoutMs: TIMEOUT_MS, messageTimeoutMs: TIMEOUT_MS, closeTimeoutMs: TIMEOUT_MS }
  const builder = await driverFor('sendrecv')
  await using listener = await listen(builder, { host, port: 0 }, limits)
  const accepting = listener.accept()
  const client = await connect(builder, listener.address, { timeoutMs: TIMEOUT_MS, ...limits })
  const server = (await accepting)!
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const echo = async () => {
      for await (const message of server) await server.send(message)
    }
    // If it fails, the client fails too.
    echo().catch(() => {})
    const roundTrip = async (byteLength: number) => {
      const message = Buffer.alloc(byteLength, host)
      await client.send(message, { signal })
      const answer = await client.recv({ signal })
      if (!answer?.equals(message)) throw new Error(`the bytes that came back from ${host} differ`)
    }
    const began = performance.now()
    for (let done = 0; done < ROUND_TRIPS; done++) await roundTrip(SMALL_BYTES)
    const tookMs = performance.now() - began
    await roundTrip(LARGE_BYTES)
    return (tookMs / ROUND_TRIPS) * 1000
  } finally {
    client.destroy()
    server.destroy()
  }
}
