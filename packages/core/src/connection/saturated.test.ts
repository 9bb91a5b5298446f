/** What a connection does while messages arrive faster than they are delivered, in turns of the test's own. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  connectionAndPeer,
  drain,
  expectBytes,
  frame,
  pattern,
  settle,
} from '../test-support/connection-pair.js'

const turn = vi.hoisted(() => ({ isSaturated: false }))
vi.mock('../runtime/turn-budget.js', async (importOriginal) => ({
  ...(await importOriginal<typeof import('../runtime/turn-budget.js')>()),
  isSaturated: () => turn.isSaturated,
}))

afterEach(() => {
  turn.isSaturated = false
})

describe('a saturated connection', () => {
  it('leaves in the transport what it can’t deliver in this turn', async () => {
    turn.isSaturated = true
    const { connection, peer, transport } = connectionAndPeer()
    for (let n = 0; n < 3; n++) peer.sendCopy(frame(pattern(1000, n)))
    await settle()
    expect(connection.stats).toMatchObject({ bytesBuffered: 1000, chunksReceived: 1 })
    turn.isSaturated = false
    for (let n = 0; n < 3; n++) expectBytes(await connection.recv(), pattern(1000, n))
    expect(drain(transport).byteLength).toBe(0)
    connection.destroy()
  })
})
