/** The receiver, fed with any bytes in any chunks: messages or a typed error, and memory that follows the bytes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frame } from '../test-support/connection-pair.js'
import { LoopbackTransport } from '../test-support/loopback.js'
import { Receiver } from './receiver.js'

/** What a peer may say: frames, and anything else. */
const speech = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.uint8Array({ maxLength: 300 }).map((payload) => frame(payload)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)) },
      { weight: 1, arbitrary: fc.constant(Buffer.from([0, 0, 1, 0])) },
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.concat(parts))

/** The same by the plainest means. */
function decode(bytes: Buffer, maxMessageSize: number) {
  const messages: Buffer[] = []
  let position = 0
  while (bytes.byteLength - position >= 4) {
    const byteLength = bytes.readUInt32BE(position)
    if (byteLength > maxMessageSize) return { messages, code: 'ERR_NETTS_PROTOCOL' }
    if (bytes.byteLength - position - 4 < byteLength) break
    messages.push(bytes.subarray(position + 4, position + 4 + byteLength))
    position += 4 + byteLength
  }
  return { messages, code: position < bytes.byteLength ? 'ERR_NETTS_TRUNCATED' : undefined }
}

/** A transport that has been told to receive these chunks. */
function transportOf(bytes: Buffer, cuts: readonly number[]) {
  const transport = new LoopbackTransport('fuzzed', 'peer', {})
  const chunks: Uint8Array[] = []
  let position = 0
  for (let index = 0; position < bytes.byteLength; index++) {
    const length = Math.max(1, cuts.length === 0 ? bytes.byteLength : cuts[index % cuts.length]!)
    chunks.push(Uint8Array.from(bytes.subarray(position, position + length)))
    position += length
  }
  let next = 0
  transport.pollRecv = (out) => {
    let count = 0
    while (count < out.length && next < chunks.length) {
      const chunk = chunks[next++]!
      Object.assign(out[count++]!, { chunkIndex: transport.chunks.add(chunk), byteLength: chunk.byteLength })
    }
    return count
  }
  transport.repostRecv = (chunkIndex) => {
    transport.chunks.remove(chunkIndex).fill(0xdd)
  }
  Object.defineProperty(transport, 'recvEnded', { get: () => next === chunks.length })
  return transport
}

const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 700 })), {
  maxLength: 20,
})

const rethrow = (error: unknown): never => {
  throw error
}

describe('the receiver', () => {
  it('finds what the plainest decoder finds, however the bytes are cut and taken', () => {
    fc.assert(
      fc.property(
        speech,
        cuts,
        fc.constantFrom(0, 100, 299, 2 ** 32 - 1),
        fc.nat(2000),
        fc.array(fc.constantFrom('owned', 'lease', 'hold'), { minLength: 1, maxLength: 5 }),
        (bytes, cuts, maxMessageSize, highWaterMark, ways) => {
          const transport = transportOf(bytes, cuts)
          const receiver = new Receiver(transport, maxMessageSize, highWaterMark, rethrow)
          const expected = decode(bytes, maxMessageSize)
          const received: Uint8Array[] = []
          const held: (() => void)[] = []
          for (let turn = 0; ; turn++) {
            receiver.poll()
            expect(receiver.assemblyBytes).toBeLessThanOrEqual(
              // What one announces never counts, only what has arrived.
              Math.max(4096, 2 * bytes.byteLength) * 2,
            )
            if (receiver.ready === 0) break
            const way = ways[turn % ways.length]
            if (way === 'owned') {
              received.push(receiver.takeOwned())
            } else {
              const lease = receiver.takeLease()
              const { bytes } = lease
              received.push(bytes)
              const index = received.length - 1
              const release = () => {
                received[index] = Buffer.from(bytes)
                lease.release()
              }
              if (way === 'hold') held.push(release)
              else release()
            }
          }
          for (const release of held.reverse()) release()
          expect(received.map((message) => Buffer.from(message).toString('hex'))).toEqual(
            expected.messages.map((message) => message.toString('hex')),
          )
          expect(receiver.isOver).toBe(true)
          expect(receiver.error?.code).toBe(expected.code)
          expect(transport.chunks.size).toBe(0)
          expect(receiver.bytesBuffered).toBe(0)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('gives everything back when it is told to move out at any moment', () => {
    fc.assert(
      fc.property(speech, cuts, fc.nat(5), (bytes, cuts, takes) => {
        const transport = transportOf(bytes, cuts)
        const receiver = new Receiver(transport, 2 ** 32 - 1, 100, rethrow)
        const received: string[] = []
        for (let count = 0; count < takes; count++) {
          receiver.poll()
          if (receiver.ready > 0) received.push(receiver.takeOwned().toString('hex'))
        }
        receiver.pollRest()
        expect(transport.chunks.size).toBe(0)
        while (receiver.ready > 0) received.push(receiver.takeOwned().toString('hex'))
        expect(received).toEqual(
          decode(bytes, 2 ** 32 - 1).messages.map((message) => message.toString('hex')),
        )
      }),
      { numRuns: 500 },
    )
  })
})
