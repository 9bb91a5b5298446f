/** Received chunks that were handed out: numbered, readable, released in any order, once. */
import { invalidArgument } from '../errors.js'

/**
 * Maps a `chunkIndex` to whatever the driver keeps for a chunk. The index that was released last is the next one
 * handed out, so that the table stays as short as the most chunks ever held at once.
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

  /** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out */
  get(chunkIndex: number): C {
    const chunk = this.#chunks[chunkIndex]
    if (chunk === undefined) throw invalidArgument(`chunkIndex ${chunkIndex} is not handed out`, 'recvBuf')
    return chunk
  }

  /**
   * Takes a chunk back.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an index that is not handed out, or not any more
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
