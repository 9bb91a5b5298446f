import { expect, it } from 'vitest'
import { pattern } from '../test/support.js'
import { BlockChunk, type Chunk } from './chunks.js'
import { ReadBuffers } from './read-buffers.js'

/** What Node does with `onread`: read into the buffer it has, say how much, ask for the next buffer. */
function reader(received: Chunk[]) {
  const reads = new ReadBuffers()
  reads.sink = { onRead: (chunk) => received.push(chunk) }
  let buffer = reads.onread.buffer()
  return {
    reads,
    read(data: Buffer): void {
      data.copy(buffer)
      reads.onread.callback(data.byteLength, buffer)
      buffer = reads.onread.buffer()
    },
    get buffer() {
      return buffer
    },
  }
}

it('shares one block among idle sockets', () => {
  expect(reader([]).buffer).toBe(reader([]).buffer)
})

it('keeps small reads apart from what later reads bring', () => {
  const received: Chunk[] = []
  const socket = reader(received)
  socket.read(Buffer.from('one'))
  socket.read(Buffer.from('two'))
  expect(received.map(({ bytes }) => String(bytes))).toEqual(['one', 'two'])
})

it('copies small reads into memory that is used again once it was given back', () => {
  const received: Chunk[] = []
  const socket = reader(received)
  socket.read(Buffer.from('one'))
  socket.read(Buffer.from('two'))
  const [one, two] = received.splice(0) as [Chunk, Chunk]
  const { bytes } = one
  one.free()
  socket.read(Buffer.from('six'))
  expect(received[0]!.bytes).toBe(bytes)
  socket.read(Buffer.from('seven'))
  expect([...received, two].map((chunk) => String(chunk.bytes))).toEqual(['six', 'seven', 'two'])
})

it('hands bulk reads on in blocks of their own, and returns to the shared block after', () => {
  const received: Chunk[] = []
  const socket = reader(received)
  const idle = socket.buffer
  const data = [40_000, 65_536, 65_536, 100, 7, 30_000].map((byteLength, seed) => pattern(byteLength, seed))
  for (const bytes of data) socket.read(bytes)
  expect(received.map(({ bytes }, i) => bytes.equals(data[i]!))).toEqual(data.map(() => true))
  expect(received.map((chunk) => chunk instanceof BlockChunk)).toEqual([true, true, true, false, false, true])
  socket.read(Buffer.from('small'))
  expect(socket.buffer).toBe(idle)
  for (const chunk of received) chunk.free()
})

it('goes back to the shared block when its socket is closed in bulk flow', () => {
  const socket = reader([])
  const idle = socket.buffer
  socket.read(pattern(65_536))
  expect(socket.buffer).not.toBe(idle)
  socket.reads.close()
  expect(socket.reads.onread.buffer()).toBe(idle)
})

it('delivers what was read, and not what an earlier read left, when Node asks for no other buffer after a throw', () => {
  const received: Chunk[] = []
  const socket = reader(received)
  socket.read(pattern(65_536, 1))
  const { sink } = socket.reads
  socket.reads.sink = {
    onRead() {
      throw new Error('broken')
    },
  }
  expect(() => socket.read(pattern(65_536, 2))).toThrow('broken')
  socket.reads.sink = sink
  socket.read(pattern(40_000, 3))
  expect(received.at(-1)!.bytes.equals(pattern(40_000, 3))).toBe(true)
})
