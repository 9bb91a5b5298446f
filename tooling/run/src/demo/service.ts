/** The server's side of the demonstration: verifies every message, and echoes or counts it. */
import type { Connection } from '@netts/core'
import { VerifiedPayload } from './payload.js'

/** The first message of a connection: what the client is going to do. */
export interface Job {
  /** `echo` sends every message back; `sink` says once that all arrived. */
  readonly mode: 'echo' | 'sink'
  readonly byteLength: number
  readonly count: number
}

/** Serves one connection to its end. */
export async function serve(connection: Connection): Promise<void> {
  const request = await connection.recv()
  if (!request) return
  const job = JSON.parse(request.toString()) as Job
  const payload = new VerifiedPayload(job.byteLength)
  for (let sequence = 0; sequence < job.count; sequence++) {
    const lease = connection.tryRecvLease() ?? (await connection.recvLease())
    if (!lease) throw new Error(`the client ended after ${sequence} of ${job.count} messages`)
    if (!payload.verify(sequence, lease.chunk, lease.byteOffset, lease.byteLength)) {
      throw new Error(`message ${sequence} of ${job.byteLength} bytes arrived damaged at the server`)
    }
    lease.release()
    if (job.mode === 'echo') await connection.send(payload.make(sequence))
  }
  if (job.mode === 'sink') await connection.send(Buffer.from('verified'))
  await connection.recv()
  await connection.close()
}
