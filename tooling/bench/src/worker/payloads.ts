/**
 * What is sent, and the check of every byte that arrives. Message `i` of a connection carries variant
 * `i mod count`, so that loss, duplication, reordering and damage all show; the totals of both ends are
 * compared as well.
 */

/** Enough variants to tell neighbours apart without leaving the processor's caches. */
const MAX_VARIANTS = 64
const VARIANT_BYTES = 1 << 20

/** Below this, a loop over the bytes is faster than a call of Buffer.compare. */
const LOOP_LIMIT = 100

/** Thrown for a payload that is not what was sent: it fails the whole run. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError'
}

/** The payloads of one size: the same in every process. */
export class Payloads {
  readonly byteLength: number
  readonly variants: readonly Buffer[]
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
      this.period[i] = state
    }
    this.variants = Array.from({ length: count }, (_, i) =>
      Buffer.from(this.period.subarray(i * byteLength, (i + 1) * byteLength)),
    )
  }
}

/** Checks what one connection receives. */
export interface Verifier {
  /** @returns how many payloads became complete. Throws {@link VerificationError}. */
  check(chunk: Uint8Array, byteOffset: number, byteLength: number): number
}

/** For contenders that deliver messages: each is one payload, whole and in its turn. */
export class MessageVerifier implements Verifier {
  readonly #variants: readonly Buffer[]
  readonly #byteLength: number
  #next = 0

  constructor(payloads: Payloads) {
    this.#variants = payloads.variants
    this.#byteLength = payloads.byteLength
  }

  check(chunk: Uint8Array, byteOffset: number, byteLength: number): number {
    if (byteLength !== this.#byteLength) {
      throw new VerificationError(`a message has ${byteLength} bytes instead of ${this.#byteLength}`)
    }
    const expected = this.#variants[this.#next] as Buffer
    if (!sameBytes(expected, 0, chunk, byteOffset, byteLength)) {
      throw new VerificationError(`a message differs from variant ${this.#next}, which was due`)
    }
    this.#next = this.#next + 1 === this.#variants.length ? 0 : this.#next + 1
    return 1
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
      if (!sameBytes(this.#period, this.#position, chunk, offset, length)) {
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

function sameBytes(expected: Buffer, at: number, chunk: Uint8Array, offset: number, length: number): boolean {
  if (length > LOOP_LIMIT) return expected.compare(chunk, offset, offset + length, at, at + length) === 0
  for (let i = 0; i < length; i++) {
    if (expected[at + i] !== chunk[offset + i]) return false
  }
  return true
}
