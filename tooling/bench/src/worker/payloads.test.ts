import { expect, test } from 'vitest'
import { MessageVerifier, Payloads, StreamVerifier, VerificationError } from './payloads.js'

test('messages in their order pass, for longer than the variants last', () => {
  const payloads = new Payloads(64)
  const verifier = new MessageVerifier(payloads)
  const count = payloads.variants.length
  for (let i = 0; i < 3 * count; i++) expect(verifier.check(payloads.variants[i % count]!, 0, 64)).toBe(1)
})

test.each([1, 61, 64, 4096])('one damaged bit anywhere in a message of %i bytes is found', (byteLength) => {
  const payloads = new Payloads(byteLength)
  const [first, second] = payloads.variants as [Buffer, Buffer]
  for (let bit = 0; bit < 8 * byteLength; bit += byteLength > 64 ? 97 : 1) {
    // The second message in a chunk is compared in another way than the first.
    for (const damaged of [0, 1]) {
      const chunk = Buffer.concat([first, second])
      chunk[damaged * byteLength + (bit >> 3)]! ^= 1 << (bit & 7)
      const verifier = new MessageVerifier(payloads)
      const check = () => {
        verifier.check(chunk, 0, byteLength)
        verifier.check(chunk, byteLength, byteLength)
      }
      expect(check, `bit ${bit} of message ${damaged}`).toThrow(VerificationError)
    }
  }
})

test('a lost, repeated, short or long message is found', () => {
  const payloads = new Payloads(1000)
  const [first, second] = payloads.variants as [Buffer, Buffer]
  expect(() => new MessageVerifier(payloads).check(second, 0, 1000)).toThrow(VerificationError)
  const repeated = new MessageVerifier(payloads)
  repeated.check(first, 0, 1000)
  expect(() => repeated.check(first, 0, 1000)).toThrow(VerificationError)
  expect(() => new MessageVerifier(payloads).check(first, 0, 999)).toThrow(VerificationError)
  expect(() => new MessageVerifier(payloads).check(Buffer.concat([first, second]), 0, 1001)).toThrow(
    VerificationError,
  )
})

test('a message is looked for at its offset', () => {
  const payloads = new Payloads(64)
  const chunk = Buffer.concat([Buffer.from('head'), payloads.variants[0]!])
  expect(new MessageVerifier(payloads).check(chunk, 4, 64)).toBe(1)
  expect(() => new MessageVerifier(payloads).check(chunk, 0, 64)).toThrow(VerificationError)
})

test('a stream passes however it is cut, and counts whole payloads', () => {
  const payloads = new Payloads(1000)
  const stream = Buffer.concat([payloads.period, payloads.period, payloads.period])
  for (const cut of [1, 7, 64, 999, 1000, 1001, 65536, stream.length]) {
    const verifier = new StreamVerifier(payloads)
    let complete = 0
    for (let at = 0; at < stream.length; at += cut) {
      complete += verifier.check(stream, at, Math.min(cut, stream.length - at))
    }
    expect(complete).toBe(stream.length / 1000)
  }
})

test('one damaged, lost or extra byte in a stream is found', () => {
  const payloads = new Payloads(100)
  const damaged = Buffer.from(payloads.period)
  damaged[1234]! ^= 0x80
  expect(() => new StreamVerifier(payloads).check(damaged, 0, damaged.length)).toThrow(VerificationError)
  const shifted = payloads.period.subarray(1)
  expect(() => new StreamVerifier(payloads).check(shifted, 0, shifted.length)).toThrow(VerificationError)
})
