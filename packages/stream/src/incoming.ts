/** The receiving half of a stream: copies chunks out of the transport and releases them, so that the peer can continue. */
import type { RecvCompletion, Transport } from '@netts/core'

/** How many chunks are joined at most: a push costs more than a copy, and every stream keeps the entries. */
const BATCH_LENGTH = 8

/** Takes chunks out of a transport. The caller catches what the transport throws. */
export class Incoming {
  /** How many bytes were taken. */
  bytes = 0
  readonly #transport: Transport
  readonly #batch: RecvCompletion[] = Array.from({ length: BATCH_LENGTH }, () => ({
    chunkIndex: 0,
    byteLength: 0,
  }))

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The next bytes, in memory of their own; `undefined` when there are none now. */
  take(): Buffer | undefined {
    const count = this.#transport.pollRecv(this.#batch)
    if (count === 0) return undefined
    let byteLength = 0
    for (let i = 0; i < count; i++) byteLength += this.#batch[i]!.byteLength
    const taken = Buffer.allocUnsafe(byteLength)
    let position = 0
    for (let i = 0; i < count; i++) {
      const { chunkIndex } = this.#batch[i]!
      const bytes = this.#transport.recvBuf(chunkIndex)
      taken.set(bytes, position)
      position += bytes.length
      this.#transport.repostRecv(chunkIndex)
    }
    this.bytes += byteLength
    return taken
  }

  /** Discards all received chunks. */
  discard(): void {
    for (let count = 1; count > 0; ) {
      count = this.#transport.pollRecv(this.#batch)
      for (let i = 0; i < count; i++) this.#transport.repostRecv(this.#batch[i]!.chunkIndex)
    }
  }
}
