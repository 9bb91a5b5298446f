import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { toBytes } from './bytes.js'

it('bytes of another realm become bytes of this one, over the same memory', () => {
  const foreign = runInNewContext('new Uint8Array([1, 2, 3, 4]).subarray(1, 3)') as Uint8Array
  expect(foreign instanceof Uint8Array).toBe(false)
  const bytes = toBytes(foreign)!
  expect(bytes instanceof Uint8Array).toBe(true)
  expect([...bytes]).toEqual([2, 3])
  foreign[0] = 9
  expect(bytes[0]).toBe(9)
})

it('what is not bytes is undefined', () => {
  for (const value of ['text', [1], new ArrayBuffer(4), new DataView(new ArrayBuffer(4)), null, undefined]) {
    expect(toBytes(value)).toBe(undefined)
  }
  expect(toBytes(new Uint16Array(2))).toBe(undefined)
})

it('foreign bytes whose memory was taken away stay what they are', () => {
  const foreign = runInNewContext('new Uint8Array(8)') as Uint8Array
  structuredClone(foreign.buffer, { transfer: [foreign.buffer] })
  expect(toBytes(foreign)).toBe(foreign)
})
