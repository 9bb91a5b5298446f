import { describe, expect, test } from 'vitest'
import { createFrameDecoder, decodeExit, decodeReady, encodeFrame, encodeStart, FrameKind } from './frames.js'

describe('frames', () => {
  const frames = [
    { kind: FrameKind.stdout, command: 7, payload: Buffer.from('some output') },
    { kind: FrameKind.input, command: 0xffffffff, payload: Buffer.alloc(0) },
    { kind: FrameKind.stderr, command: 1, payload: Buffer.alloc(10_000, 'x') },
  ]
  const bytes = Buffer.concat(frames.map(({ kind, command, payload }) => encodeFrame(kind, command, payload)))

  test.each([1, 2, 8, 9, 10, 4096, 1_000_000])('come out of chunks of %i bytes', (size) => {
    const decode = createFrameDecoder()
    const decoded = []
    for (let at = 0; at < bytes.byteLength; at += size) decoded.push(...decode(bytes.subarray(at, at + size)))
    expect(decoded).toEqual(frames)
  })
})

test('a start frame holds directory, arguments and environment, each ended by NUL', () => {
  const payload = encodeStart(['echo', 'a b'], '/tmp', { LANG: 'C' })
  expect(payload.readUInt32BE(0)).toBe(2)
  expect(payload.subarray(4).toString()).toBe('/tmp\0echo\0a b\0LANG=C\0')
})

test('an exit frame tells status, signal and problem apart', () => {
  expect(decodeExit(Buffer.from('status 7'))).toEqual({ how: 'status', value: '7' })
  expect(decodeExit(Buffer.from('signal 9'))).toEqual({ how: 'signal', value: '9' })
  const problem = 'No such file or directory'
  expect(decodeExit(Buffer.from(`problem ${problem}`))).toEqual({ how: 'problem', value: problem })
})

test('a ready frame holds devices and problems', () => {
  expect(decodeReady(Buffer.from('rxe0 rxe 10.99.0.1 dummy0\n\0'))).toEqual({
    devices: 'rxe0 rxe 10.99.0.1 dummy0\n',
    problem: '',
  })
})
