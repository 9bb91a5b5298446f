/**
 * The bytes every test sends: a pseudo-random stream, known at each position, so that a byte that is lost,
 * doubled, swapped or altered shows at once, and where.
 */
import assert from 'node:assert/strict'
import { Random } from './random.js'

/** A prime, so that no power-of-two shift of the stream looks like the stream. */
const PERIOD = 1_048_573

const table = (() => {
  const random = new Random(0x6e657474)
  const bytes = Buffer.alloc(PERIOD)
  for (let i = 0; i < PERIOD; i++) bytes[i] = random.integer(0, 255)
  return bytes
})()

/** A stream of known bytes; different salts give different streams. */
export class Pattern {
  readonly #shift: number

  constructor(salt: number) {
    this.#shift = (salt * 104_729) % PERIOD
  }

  /** A copy of the bytes from `position` on. */
  bytes(position: number, byteLength: number): Buffer {
    const bytes = Buffer.allocUnsafe(byteLength)
    this.#pieces(position, byteLength, (piece, at) => piece.copy(bytes, at))
    return bytes
  }

  /** Fails unless `bytes` are what the stream has at `position`. */
  check(bytes: Uint8Array, position: number): void {
    this.#pieces(position, bytes.byteLength, (piece, at) => {
      const received = bytes.subarray(at, at + piece.byteLength)
      if (piece.equals(received)) return
      const wrong = piece.findIndex((byte, i) => byte !== received[i])
      assert.fail(
        `byte ${position + at + wrong} of the stream is ${received[wrong]}, but ${piece[wrong]} was sent there`,
      )
    })
  }

  #pieces(position: number, byteLength: number, visit: (piece: Buffer, at: number) => void): void {
    for (let at = 0; at < byteLength; ) {
      const from = (position + at + this.#shift) % PERIOD
      const piece = table.subarray(from, Math.min(PERIOD, from + byteLength - at))
      visit(piece, at)
      at += piece.byteLength
    }
  }
}
