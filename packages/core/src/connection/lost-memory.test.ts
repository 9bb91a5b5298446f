/** Messages whose memory was taken away before they were sent. */
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { connectionPair } from '../test-support/connection-pair.js'

const detached = (bytes: Uint8Array) => {
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

describe.each([
  { of: 'this realm', make: (byteLength: number) => new Uint8Array(byteLength) },
  { of: 'another realm', make: (byteLength: number) => runInNewContext(`new Uint8Array(${byteLength})`) },
])('bytes of $of', ({ make }) => {
  it.each([10, 1_000_000])(
    'of which %i were taken away are refused, and nothing of them is sent',
    async (size) => {
      const { one, two } = connectionPair()
      await expect(one.send(detached(make(size)))).rejects.toMatchObject({
        code: 'ERR_NETTS_BUFFER_DETACHED',
      })
      expect(() => one.trySend(detached(make(size)))).toThrow(
        expect.objectContaining({ code: 'ERR_NETTS_BUFFER_DETACHED' }),
      )
      expect(one.state).toBe('open')
      await one.send(Buffer.from('next'))
      expect(String(await two.recv())).toBe('next')
    },
  )

  it('without any bytes are a message', async () => {
    const { one, two } = connectionPair()
    await one.send(make(0))
    expect((await two.recv())?.byteLength).toBe(0)
  })
})
