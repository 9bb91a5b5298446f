/** Received chunks that were handed out: numbered, readable, released in any order, once. */
import { invalidArgument } from '../errors.js'

/**
 * Maps a `bufIdx` to whatever the driver keeps for a chunk. The index that was released last is the next one
 * handed out, so that the table stays as short as the most chunks ever held at once.
 */
export class ChunkTable<C extends NonNullable<unknown>> {
  readonly #chunks: (C | undefined)[] = []
  readonly #free: number[] = []

  /** How many chunks are handed out. */
  get size(): number {
    return this.#chunks.length - this.#free.length
  }

  /** Hands out a chunk. @returns its `bufIdx` */
  add(chunk: C): number {
    const bufIdx = this.#free.pop() ?? this.#chunks.length
    this.#chunks[bufIdx] = chunk
    return bufIdx
  }

  /** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out */
  get(bufIdx: number): C {
    const chunk = this.#chunks[bufIdx]
    if (chunk === undefined) throw invalidArgument(`bufIdx ${bufIdx} is not handed out`, 'recvBuf')
    return chunk
  }

  /**
   * Takes a chunk back.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out, or not any more
   */
  remove(bufIdx: number): C {
    const chunk = this.#chunks[bufIdx]
    if (chunk === undefined) {
      throw invalidArgument(`bufIdx ${bufIdx} is not handed out, or was released before`, 'repostRecv')
    }
    this.#chunks[bufIdx] = undefined
    this.#free.push(bufIdx)
    return chunk
  }
}
