/** Many bytes through a stream to a reader that takes its time, hashed at both ends. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connectStream, createStreamServer, type TransportStream } from '../src/index.js'
import { pattern } from './contract/pair.js'
import type { Wire } from './wires.js'

/** What came of it. */
export interface BulkResult {
  readonly sent: string
  readonly received: string
  readonly byteLength: number
  /** By how much the process grew meanwhile, at most, in bytes. */
  readonly growthBytes: number
}

/** As much as is written at a time: the largest that a file's stream or a proxy would. */
const PIECE_BYTES = 1 << 20

/** A reader that stops now and then: while it does, everything behind it has to wait. */
const READS_PER_STOP = 64

export async function pipeBulk(wire: Wire, byteLength: number): Promise<BulkResult> {
  const { client, server, address } = wire.open()
  const listener = createStreamServer(server)
  listener.listen(address)
  await once(listener, 'listening')
  const accepted = once(listener, 'connection')
  const near = connectStream(client, listener.listeningAddress!)
  const [far] = (await accepted) as [TransportStream]

  const before = process.memoryUsage.rss()
  let most = before
  const [sent, received] = [createHash('sha256'), createHash('sha256')]
  const piece = pattern(PIECE_BYTES)
  function* pieces() {
    for (let at = 0; at < byteLength; at += PIECE_BYTES) {
      const next = Buffer.from(piece.subarray(0, Math.min(PIECE_BYTES, byteLength - at)))
      next.writeUInt32BE(at / PIECE_BYTES)
      sent.update(next)
      yield next
    }
  }
  let reads = 0
  const slow = new Writable({
    write(chunk: Buffer, _encoding, done) {
      received.update(chunk)
      if (++reads % READS_PER_STOP > 0) return done()
      most = Math.max(most, process.memoryUsage.rss())
      setImmediate(done)
    },
  })
  near.resume()
  await Promise.all([pipeline(Readable.from(pieces()), near), pipeline(far, slow)])
  await new Promise<void>((resolve) => listener.close(() => resolve()))
  return {
    sent: sent.digest('hex'),
    received: received.digest('hex'),
    byteLength: far.bytesRead,
    growthBytes: most - before,
  }
}
