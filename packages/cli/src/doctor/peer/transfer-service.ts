/** The serving side of transfers, over the wire that is tested. */
import { type Connection, NettsError } from '@netts/core'
import { MOST_BYTES, pattern, REQUEST } from './messages.js'

/** Answers requests until the peer ends. Rejects with the error of the connection, or for an unknown request. */
export async function serveTransfers(connection: Connection): Promise<void> {
  const patterns = new Map<string, Buffer>()
  const patternOf = (byteLength: number, first: number) => {
    const key = `${byteLength} ${first}`
    const known = patterns.get(key) ?? pattern(byteLength, first)
    patterns.clear()
    patterns.set(key, known)
    return known
  }
  for await (const lease of connection.leases()) {
    using request = lease
    const { bytes } = request
    await connection.send(answerTo(bytes, patternOf))
  }
}

function answerTo(bytes: Uint8Array, patternOf: (byteLength: number, first: number) => Buffer): Uint8Array {
  switch (bytes[0]) {
    case REQUEST.echo:
      return bytes
    case REQUEST.take: {
      const isRight = Buffer.compare(bytes, patternOf(bytes.byteLength, REQUEST.take)) === 0
      return Uint8Array.of(isRight ? 1 : 0)
    }
    case REQUEST.give: {
      const byteLength = bytes.byteLength === 5 ? Buffer.from(bytes).readUInt32BE(1) : 0
      if (byteLength > 0 && byteLength <= MOST_BYTES) return patternOf(byteLength, REQUEST.give)
    }
  }
  throw new NettsError('ERR_NETTS_PROTOCOL', 'the peer sent a request that this doctor does not know')
}
