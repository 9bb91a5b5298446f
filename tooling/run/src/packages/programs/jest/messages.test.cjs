/** What a user of jest does with netts, in whichever environment this runs. */
const { connect, listen } = require('@netts/core')
const { createMockNetwork } = require('@netts/mock')
const { tcp } = require('@netts/tcp')

const BUILDERS = { tcp: () => tcp(), mock: () => createMockNetwork().builder() }
/** Coalesced, one chunk, several chunks, and more than any window holds. */
const BYTE_LENGTHS = [10, 5_000, 300_000, 3_000_000]

describe.each(Object.keys(BUILDERS))('over %s', (wire) => {
  let server
  let client
  let accepted

  beforeEach(async () => {
    const builder = BUILDERS[wire]()
    server = await listen(builder, { host: '127.0.0.1', port: 0 })
    const accepting = server.accept()
    client = await connect(builder, server.address)
    accepted = await accepting
  })
  afterEach(() => Promise.all([client.close(), accepted.close(), server.close()]))

  test.each(BYTE_LENGTHS)('a Buffer and a Uint8Array of %d bytes arrive', async (byteLength) => {
    const pattern = Buffer.alloc(byteLength, 'netts')
    for (const message of [pattern, new Uint8Array(pattern)]) {
      const [received] = await Promise.all([accepted.recv(), client.send(message)])
      expect(Buffer.isBuffer(received)).toBe(true)
      expect(Buffer.compare(received, pattern)).toBe(0)
    }
    expect(client.trySend(new Uint8Array([1, 2, 3]))).toBe(true)
    await client.flush()
    expect([...(await accepted.recv())]).toEqual([1, 2, 3])
  })

  test('a buffer of the transport is sent', async () => {
    const buffer = client.alloc(5_000)
    buffer.bytes.fill(7)
    await client.send(buffer)
    expect(Buffer.compare(await accepted.recv(), Buffer.alloc(5_000, 7))).toBe(0)
  })

  test('closing ends the peer, and closed resolves', async () => {
    await Promise.all([client.close(), accepted.recv().then((end) => expect(end).toBeUndefined())])
    await accepted.close()
    expect(await client.closed).toBeUndefined()
    expect(await accepted.closed).toBeUndefined()
  })

  test('an AbortSignal of the environment cancels what waits for it', async () => {
    const { signal } = new AbortController()
    const aborting = new AbortController()
    const { signal: aborted } = aborting
    const waiting = [accepted.recv({ signal: aborted }), server.accept({ signal: aborted })]
    aborting.abort()
    waiting.push(client.send(Buffer.alloc(1), { signal: aborted }))
    waiting.push(connect(BUILDERS[wire](), server.address, { signal: aborted }))
    for (const operation of waiting)
      await expect(operation).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    const [received] = await Promise.all([
      accepted.recv({ signal }),
      client.send(Buffer.from([5]), { signal }),
    ])
    expect([...received]).toEqual([5])
  })
})
