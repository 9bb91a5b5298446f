// A session manager of connect-node that begins to read when a call begins, before the response arrives.

import { Http2SessionManager } from '@connectrpc/connect-node'

export class EarlyReadingSessionManager extends Http2SessionManager {
  override async request(...call: Parameters<Http2SessionManager['request']>) {
    const stream = await super.request(...call)
    const pieces = stream[Symbol.asyncIterator]()
    const first = pieces.next()
    // The reader below gets this error. Until it reads, the rejection must not count as unhandled.
    first.catch(() => {})
    stream[Symbol.asyncIterator] = async function* () {
      for (let piece = await first; !piece.done; piece = await pieces.next()) yield piece.value
    }
    return stream
  }
}
