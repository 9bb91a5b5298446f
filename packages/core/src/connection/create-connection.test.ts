/** A connection over a loopback transport: order, ends, errors, backpressure. */
import { describe, expect, it } from 'vitest'
import { type LoopbackOptions, loopbackPair } from '../test-support/loopback.js'
import type { ConnectionOptions } from './connection.js'
import { createConnection } from './create-connection.js'

export function pair(
  options: LoopbackOptions = {},
  connectionOptions: ConnectionOptions = {},
  peerOptions: LoopbackOptions = options,
) {
  const [one, two] = loopbackPair(options, peerOptions)
  return [createConnection(one, connectionOptions), createConnection(two, connectionOptions)] as const
}

describe('createConnection', () => {
  it('echoes messages of all sizes in order', async () => {
    const [client, server] = pair()
    const echo = (async () => {
      for await (const message of server) await server.send(message)
    })()
    for (const size of [0, 1, 64, 65_532, 65_533, 65_536, 1 << 20]) {
      const message = Buffer.alloc(size, size % 251)
      await client.send(message)
      expect(Buffer.compare((await client.recv())!, message)).toBe(0)
    }
    await client.close()
    await echo
    expect(await client.closed).toBe(undefined)
    expect(await server.closed).toBe(undefined)
  })
})
