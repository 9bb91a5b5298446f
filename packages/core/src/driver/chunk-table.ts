/** The received chunks that are handed out. Each has a number, and is released once, in any order. */
import { invalidArgument } from '../errors.js'

/**
 * Maps a `chunkIndex` to what the driver keeps for a chunk. The index that was released last is handed out next, so that the
 * table is never longer than the most chunks that were held at the same time.
 *
 * @typeParam C what the driver keeps for a chunk
 */
export class ChunkTable<C extends NonNullable<unknown>> {
  readonly #chunks: (C | undefined)[] = []
  readonly #free: number[] = []

  /** How many chunks are handed out. */
  get size(): number {
    return this.#chunks.length - this.#free.length
  }

  /** Hands out a chunk. @returns its `chunkIndex` */
  add(chunk: C): number {
    const chunkIndex = this.#free.pop() ?? this.#chunks.length
    this.#chunks[chunkIndex] = chunk
    return chunkIndex
  }

  /** Returns a chunk, for `recvBuf`. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out */
  get(chunkIndex: number): C {
    const chunk = this.#chunks[chunkIndex]
    if (chunk === undefined) throw invalidArgument(`chunkIndex ${chunkIndex} is not handed out`, 'recvBuf')
    return chunk
  }

  /**
   * Takes a chunk back, for `repostRecv`.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out, such as one released before
   */
  remove(chunkIndex: number): C {
    const chunk = this.#chunks[chunkIndex]
    if (chunk === undefined) {
      throw invalidArgument(
        `chunkIndex ${chunkIndex} is not handed out, or was released before`,
        'repostRecv',
      )
    }
    this.#chunks[chunkIndex] = undefined
    this.#free.push(chunkIndex)
    return chunk
  }
}
