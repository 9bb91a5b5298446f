/**
 * What is sent, and the check of every byte that arrives. Message `i` of a connection carries variant
 * `i mod count`, so that loss, duplication, reordering and damage all show; the totals of both ends are
 * compared as well.
 */

/** Enough variants to tell neighbours apart without leaving the processor's caches. */
const MAX_VARIANTS = 64
const VARIANT_BYTES = 1 << 20

/** Up to this, reading words is faster than a call of Buffer.compare. */
const WORDS_LIMIT = 512
const WORD_BYTES = 8

/** Thrown for a payload that is not what was sent: it fails the whole run. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError'
}

/** The payloads of one size: the same in every process. */
export class Payloads {
  readonly byteLength: number
  readonly variants: readonly Buffer[]
  /** The whole words of each variant. */
  readonly words: readonly Float64Array[]
  /** All variants one after another: what a stream of payloads looks like. */
  readonly period: Buffer

  constructor(byteLength: number) {
    this.byteLength = byteLength
    const count = Math.max(4, Math.min(MAX_VARIANTS, 2 ** Math.floor(Math.log2(VARIANT_BYTES / byteLength))))
    this.period = Buffer.alloc(count * byteLength)
    let state = 0x9e3779b9 ^ byteLength
    for (let i = 0; i < this.period.length; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      // As 64-bit floats, words must be neither NaN nor zero: then they are equal only when every bit is.
      const isTop = (i % byteLength) % WORD_BYTES === WORD_BYTES - 1
      this.period[i] = isTop ? (state & 0xbf) | 1 : state
    }
    this.variants = Array.from({ length: count }, (_, i) =>
      Buffer.from(this.period.subarray(i * byteLength, (i + 1) * byteLength)),
    )
    const wholeWords = byteLength - (byteLength % WORD_BYTES)
    this.words = this.variants.map(
      (variant) => new Float64Array(new Uint8Array(variant.subarray(0, wholeWords)).buffer),
    )
  }
}

/** Checks what one connection receives. */
export interface Verifier {
  /** @returns how many payloads became complete. Throws {@link VerificationError}. */
  check(chunk: Uint8Array, byteOffset: number, byteLength: number): number
}

/** The memory that was looked at last: small messages share that of a chunk, and then also this view of it. */
const seen: { chunk?: Uint8Array; memory?: ArrayBufferLike; view: DataView | undefined } = { view: undefined }

/** @returns whether there is a view of the chunk's memory: not for the first message in it */
function lookAt(chunk: Uint8Array): boolean {
  if (chunk !== seen.chunk) {
    seen.chunk = chunk
    if (chunk.buffer !== seen.memory) {
      seen.memory = chunk.buffer
      seen.view = undefined
      return false
    }
  }
  seen.view ??= new DataView(chunk.buffer)
  return true
}

/** For contenders that deliver messages: each is one payload, whole and in its turn. */
export class MessageVerifier implements Verifier {
  readonly #payloads: Payloads
  readonly #byteLength: number
  #next = 0

  constructor(payloads: Payloads) {
    this.#payloads = payloads
    this.#byteLength = payloads.byteLength
  }

  check(chunk: Uint8Array, byteOffset: number, byteLength: number): number {
    if (byteLength !== this.#byteLength) {
      throw new VerificationError(`a message has ${byteLength} bytes instead of ${this.#byteLength}`)
    }
    const same =
      byteLength <= WORDS_LIMIT && lookAt(chunk)
        ? this.#sameWords(chunk, byteOffset)
        : this.#sameBytes(chunk, byteOffset, 0)
    if (!same) throw new VerificationError(`a message differs from variant ${this.#next}, which was due`)
    this.#next = this.#next + 1 === this.#payloads.variants.length ? 0 : this.#next + 1
    return 1
  }

  #sameWords(chunk: Uint8Array, byteOffset: number): boolean {
    const words = this.#payloads.words[this.#next] as Float64Array
    const view = seen.view as DataView
    const start = chunk.byteOffset + byteOffset
    for (let i = 0; i < words.length; i++) {
      if (view.getFloat64(start + WORD_BYTES * i, true) !== words[i]) return false
    }
    return this.#sameBytes(chunk, byteOffset, words.length * WORD_BYTES)
  }

  /** Compares from the payload's byte `from` on. */
  #sameBytes(chunk: Uint8Array, byteOffset: number, from: number): boolean {
    const expected = this.#payloads.variants[this.#next] as Buffer
    const length = this.#byteLength
    if (length - from > WORDS_LIMIT) {
      return expected.compare(chunk, byteOffset + from, byteOffset + length, from, length) === 0
    }
    for (let i = from; i < length; i++) {
      if (expected[i] !== chunk[byteOffset + i]) return false
    }
    return true
  }
}

/** For contenders that deliver bytes: the stream repeats the period, wherever its chunks are cut. */
export class StreamVerifier implements Verifier {
  readonly #period: Buffer
  readonly #byteLength: number
  #position = 0
  #partial = 0

  constructor(payloads: Payloads) {
    this.#period = payloads.period
    this.#byteLength = payloads.byteLength
  }

  check(chunk: Uint8Array, byteOffset: number, byteLength: number): number {
    let offset = byteOffset
    const end = byteOffset + byteLength
    while (offset < end) {
      const length = Math.min(end - offset, this.#period.length - this.#position)
      const at = this.#position
      if (this.#period.compare(chunk, offset, offset + length, at, at + length) !== 0) {
        throw new VerificationError(
          `the stream differs within ${length} bytes at ${this.#position} of its period`,
        )
      }
      offset += length
      this.#position += length
      if (this.#position === this.#period.length) this.#position = 0
    }
    this.#partial += byteLength
    const complete = Math.floor(this.#partial / this.#byteLength)
    this.#partial -= complete * this.#byteLength
    return complete
  }
}
