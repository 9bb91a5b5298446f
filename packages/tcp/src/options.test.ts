import { createBufferPool } from '@netts/core'
import { expect, it } from 'vitest'
import { checkOptions, type TcpOptions } from './options.js'
import { tcp } from './tcp.js'

const outOfRange: [keyof TcpOptions, unknown[]][] = [
  ['maxSendSize', [0, 1023, 2 ** 30 + 1, 1024.5, '65536', null, Number.NaN]],
  ['sendDepth', [0, -1, 65_537, 1.5, '1']],
  ['recvWindow', [0, 1023, 2 ** 30 + 1, Number.POSITIVE_INFINITY]],
  ['keepAlive', [1, 'true', null]],
  ['keepAliveDelayMs', [0, 999, 32_767_001, '1000']],
  ['maxConnections', [0, -1, 1.5, Number.POSITIVE_INFINITY]],
  ['bufferPool', [{}, null, 1]],
]

for (const [name, values] of outOfRange) {
  it(`refuses ${name} of the wrong type or out of range, by name`, () => {
    for (const value of values) {
      expect(() => tcp({ [name]: value })).toThrow(
        expect.objectContaining({
          code: 'ERR_NETTS_INVALID_ARGUMENT',
          message: expect.stringContaining(name),
        }),
      )
    }
  })
}

it('refuses options that are no object', () => {
  for (const options of [null, 1, 'options']) {
    expect(() => tcp(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }),
    )
  }
})

it('makes one pool for each builder, and takes a given one', () => {
  const config = checkOptions()
  expect(config.bufferPool).toBe(config.bufferPool)
  expect(config.bufferPool).not.toBe(checkOptions().bufferPool)
  const bufferPool = createBufferPool()
  expect(checkOptions({ bufferPool }).bufferPool).toBe(bufferPool)
})
