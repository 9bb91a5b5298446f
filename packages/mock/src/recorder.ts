/** Records the bytes that one side sent, up to a limit. */

/** The beginning of the bytes that were sent, and their number. */
export class Recorder {
  readonly #limit: number
  readonly #pieces: Uint8Array[] = []
  #kept = 0
  #total = 0

  /** @param limit how many bytes are kept */
  constructor(limit: number) {
    this.#limit = limit
  }

  record(bytes: Uint8Array): void {
    this.#total += bytes.byteLength
    if (this.#kept >= this.#limit) return
    // Not `slice`, which does not copy if it is that of a Buffer.
    const piece = new Uint8Array(bytes.subarray(0, this.#limit - this.#kept))
    this.#pieces.push(piece)
    this.#kept += piece.byteLength
  }

  get byteLength(): number {
    return this.#total
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}
