/** Messages whose every byte can be verified: a sequence number, then a stretch of a pseudo-random block. */

/** How far apart the stretches of the block begin: prime, so that neighbours never repeat. */
const STRIDE = 7919
const SLACK = 64 * 1024

/** Makes and verifies the messages of one size. */
export class VerifiedPayload {
  readonly #block: Buffer
  readonly #message: Buffer
  readonly byteLength: number

  /** @param byteLength of every message; at least 4 */
  constructor(byteLength: number) {
    this.byteLength = byteLength
    this.#message = Buffer.alloc(byteLength)
    this.#block = Buffer.alloc(byteLength + SLACK)
    let state = 0x9e3779b9
    for (let index = 0; index < this.#block.length; index++) {
      // Marsaglia's xorshift32: both processes compute the same block.
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      this.#block[index] = state
    }
  }

  /** The message with this sequence number, in memory that the next call reuses. */
  make(sequence: number): Buffer {
    const offset = this.#offset(sequence)
    this.#block.copy(this.#message, 4, offset, offset + this.byteLength - 4)
    this.#message.writeUInt32LE(sequence, 0)
    return this.#message
  }

  /** Whether bytes of `chunk` are exactly the message with this sequence number. */
  verify(sequence: number, chunk: Uint8Array, byteOffset: number, byteLength: number): boolean {
    if (byteLength !== this.byteLength) return false
    for (let index = 0; index < 4; index++) {
      if (chunk[byteOffset + index] !== ((sequence >>> (8 * index)) & 0xff)) return false
    }
    const offset = this.#offset(sequence)
    const end = byteOffset + byteLength
    return this.#block.compare(chunk, byteOffset + 4, end, offset, offset + byteLength - 4) === 0
  }

  #offset(sequence: number): number {
    return (sequence * STRIDE) % SLACK
  }
}
