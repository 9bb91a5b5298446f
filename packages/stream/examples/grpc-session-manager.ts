// A session manager of connect-node that reads from the beginning of a call on, not from that of its answer.

import { Http2SessionManager } from '@connectrpc/connect-node'

export class EarlyReadingSessionManager extends Http2SessionManager {
  override async request(...call: Parameters<Http2SessionManager['request']>) {
    const stream = await super.request(...call)
    const pieces = stream[Symbol.asyncIterator]()
    const first = pieces.next()
    // Whoever reads is told.
    first.catch(() => {})
    stream[Symbol.asyncIterator] = async function* () {
      for (let piece = await first; !piece.done; piece = await pieces.next()) yield piece.value
    }
    return stream
  }
}
