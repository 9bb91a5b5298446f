import { expect, test } from 'vitest'
import type { Channel } from './contender.js'
import { corkedFraming, FrameReader } from './corked-framing.js'

function frame(message: Uint8Array): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(message.length)
  return Buffer.concat([header, message])
}

function message(byteLength: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: byteLength }, (_, i) => seed + i * 7))
}

const messages = [0, 1, 3, 4, 5, 0, 0, 40, 1].map((byteLength, i) => message(byteLength, i))
const wanted = messages.map((bytes) => bytes.toString('hex'))
const stream = Buffer.concat(messages.map(frame))

function reading(): { reader: FrameReader; taken: string[] } {
  const taken: string[] = []
  const reader = new FrameReader((chunk, byteOffset, byteLength) =>
    taken.push(Buffer.from(chunk.subarray(byteOffset, byteOffset + byteLength)).toString('hex')),
  )
  return { reader, taken }
}

test('every message is delivered whole and in order, wherever two cuts divide the stream', () => {
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second += 1 + (first % 3)) {
      const { reader, taken } = reading()
      const cuts = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]
      for (const chunk of cuts) reader.read(chunk)
      expect(taken, `cut at ${first} and ${second}`).toEqual(wanted)
    }
  }
})

test('every message is delivered whole and in order when single bytes arrive', () => {
  const { reader, taken } = reading()
  for (const byte of stream) reader.read(Buffer.of(byte))
  expect(taken).toEqual(wanted)
})

test('a message within one chunk is not copied', () => {
  const chunk = Buffer.concat([frame(message(8, 1)), frame(message(8, 2))])
  const chunks: Uint8Array[] = []
  new FrameReader((from) => chunks.push(from)).read(chunk)
  expect(chunks.length).toBe(2)
  for (const from of chunks) expect(from).toBe(chunk)
})

test('over sockets: messages of every size arrive and come back, and a sender that was told to wait hears of room', async () => {
  const wire = corkedFraming()
  const sizes = [64, 4096, 4097, 70_000, 1 << 20]
  const options = { host: '127.0.0.1', connections: 1, byteLength: 64 }
  const failures: Error[] = []
  const accepted: Channel[] = []
  const listening = await wire.listen(options, (channel) => {
    accepted.push(channel)
    channel.onFailure = (error) => failures.push(error)
    channel.onReceive = (chunk, byteOffset, byteLength) => channel.echo(chunk, byteOffset, byteLength)
  })
  const channel = await wire.connect(listening.endpoints[0]!, options)
  channel.onFailure = (error) => failures.push(error)
  const sent = sizes.map((byteLength, i) => message(byteLength, i))
  const received: Buffer[] = []
  const all = new Promise<void>((resolve) => {
    channel.onReceive = (chunk, byteOffset, byteLength) => {
      received.push(Buffer.from(chunk.subarray(byteOffset, byteOffset + byteLength)))
      if (received.length === sent.length) resolve()
    }
  })
  const room = new Promise<void>((resolve) => {
    channel.onDrain = resolve
  })
  expect(sent.map((payload) => channel.send(payload))).toEqual([true, true, true, true, false])
  await Promise.all([all, room])
  expect(received.map((bytes, i) => bytes.equals(sent[i]!))).toEqual(sent.map(() => true))
  await channel.close()
  await Promise.all(accepted.map((end) => end.close()))
  await listening.close()
  expect(failures).toEqual([])
})
