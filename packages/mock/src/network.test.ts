import { connect, listen, type TransportBuilder } from '@netts/core'
import { describe, expect, it, vi } from 'vitest'
import { createMockNetwork, createVirtualClock, type MockAttempt, type MockFaults } from './index.js'

const address = { host: 'service', port: 80 }

describe('a mock network', () => {
  it('carries messages both ways', async () => {
    const driver = createMockNetwork().builder()
    const server = await listen(driver, address)
    const client = await connect(driver, address)
    const accepted = (await server.accept())!
    await client.send(Buffer.from('question'))
    expect(String(await accepted.recv())).toBe('question')
    await accepted.send(Buffer.from('answer'))
    expect(String(await client.recv())).toBe('answer')
    await Promise.all([client.close(), accepted.close(), server.close()])
  })

  it('sends a large message from its own memory, and leaves that as it was', async () => {
    const network = createMockNetwork()
    const driver = network.builder()
    const server = await listen(driver, address)
    const client = await connect(driver, address)
    const accepted = (await server.accept())!
    const message = Buffer.alloc(500_000, 'a large message')
    for (let i = 0; i < 2; i++) {
      const [received] = await Promise.all([accepted.recv(), client.send(message)])
      expect(received!.equals(Buffer.alloc(500_000, 'a large message'))).toBe(true)
    }
    expect(client.stats.zeroCopySends).toBe(2)
    const { sent } = network.links[0]!.client
    message.fill(0)
    expect(network.links[0]!.client.sent.equals(sent)).toBe(true)
    expect(sent.subarray(4, 500_004).equals(Buffer.alloc(500_000, 'a large message'))).toBe(true)
    await Promise.all([client.close(), accepted.close(), server.close()])
  })

  it('goes on when every timer and queue is faked', async () => {
    const timer = { ref: () => timer, unref: () => timer, refresh: () => timer }
    const never = () => timer
    for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) {
      vi.stubGlobal(name, never)
    }
    try {
      const driver = createMockNetwork().builder()
      const server = await listen(driver, address)
      const client = await connect(driver, address)
      const accepted = (await server.accept())!
      await client.send(Buffer.from('still here'))
      expect(String(await accepted.recv())).toBe('still here')
      await Promise.all([client.close(), accepted.close(), server.close()])
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('sees nothing of another one', async () => {
    const [one, other] = [createMockNetwork(), createMockNetwork()]
    const listener = await one.builder().listen(address)
    await expect(other.builder().connect(address)).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED' })
    await (await other.builder().listen(address)).close()
    const client = await one.builder().connect(address)
    expect([one.links.length, other.links.length]).toEqual([1, 0])
    client.destroy()
    await listener.close()
  })

  it('lets builders with different limits meet', async () => {
    const network = createMockNetwork()
    const listener = await network.builder({ maxSendSize: 1024, recvWindow: 2048 }).listen(address)
    const client = await network.builder({ maxSendSize: 65_536 }).connect(address)
    // No send may be larger than what the receiver holds.
    expect(client.maxSendSize).toBe(2048)
    const server = (await listener.accept())!
    expect([server.maxSendSize, server.recvWindow, client.recvWindow]).toEqual([1024, 2048, 262_144])
    client.destroy()
    await listener.close()
  })

  it('chooses ports, and takes paths for addresses', async () => {
    const driver = createMockNetwork().builder()
    const [one, two] = [
      await driver.listen({ host: 'a', port: 0 }),
      await driver.listen({ host: 'a', port: 0 }),
    ]
    expect(one.address).not.toEqual(two.address)
    const { port } = two.address as { port: number }
    const taken = await driver.listen({ host: 'a', port: port + 1 })
    const free = await driver.listen({ host: 'a', port: 0 })
    expect(free.address).not.toEqual(taken.address)
    const path = await driver.listen({ path: '/run/service' })
    const client = await driver.connect({ path: '/run/service' })
    expect(client.remoteAddress).toEqual({ path: '/run/service' })
    client.destroy()
    for (const listener of [one, two, taken, free, path]) await listener.close()
  })
})

describe('an attempt to connect', () => {
  async function listening(): Promise<{ driver: TransportBuilder; failNext(faults: MockFaults): void }> {
    const network = createMockNetwork()
    const driver = network.builder()
    await driver.listen(address)
    return { driver, failNext: (faults) => network.failNext(faults) }
  }

  it('is refused or rejected on request, once for each', async () => {
    const { driver, failNext } = await listening()
    failNext({ connect: 'refuse' })
    failNext({ connect: 'reject' })
    await expect(driver.connect(address)).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED', address })
    await expect(driver.connect(address)).rejects.toMatchObject({ code: 'ERR_NETTS_REJECTED', address })
    ;(await driver.connect(address)).destroy()
  })

  it('is never answered on request: its deadline passes by fake timers', async () => {
    const { driver, failNext } = await listening()
    failNext({ connect: 'never' })
    vi.useFakeTimers()
    try {
      const outcome = expect(driver.connect(address, { timeoutMs: 60_000 })).rejects.toMatchObject({
        code: 'ERR_NETTS_TIMEOUT',
      })
      await vi.advanceTimersByTimeAsync(60_000)
      await outcome
    } finally {
      vi.useRealTimers()
    }
  })

  it('is never answered on request: its deadline passes by the clock of the network', async () => {
    const clock = createVirtualClock()
    const driver = createMockNetwork({ clock, faults: { connect: 'never' } }).builder()
    const outcome = expect(driver.connect(address, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
    })
    clock.advance(100)
    await outcome
  })

  it('is what a script is asked about', async () => {
    const attempts: MockAttempt[] = []
    const network = createMockNetwork({
      faults: (attempt) => {
        attempts.push(attempt)
        return attempt.index === 1 ? { connect: 'refuse' } : undefined
      },
    })
    const driver = network.builder()
    await driver.listen(address)
    ;(await driver.connect(address)).destroy()
    await expect(driver.connect(address)).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED' })
    ;(await driver.connect(address)).destroy()
    expect(attempts).toEqual([0, 1, 2].map((index) => ({ index, address })))
    expect(network.links.map(({ index }) => index)).toEqual([0, 2])
  })
})

describe('an unknown option is refused, with the nearest name', () => {
  const network = createMockNetwork()
  const unknown = <T>(value: object) => value as T

  it.each<[string, string, () => unknown]>([
    ['a network', 'seed', () => createMockNetwork(unknown({ seeds: 1 }))],
    ['a builder', 'recvWindow', () => network.builder(unknown({ recvWindows: 4096 }))],
    ['faults', 'server', () => createMockNetwork({ faults: unknown({ servers: {} }) })],
    ['one side', 'latencyMs', () => network.failNext({ client: unknown({ latency: 5 }) })],
    ['the limits of one side', 'sendSlots', () => network.failNext({ client: unknown({ sendSlot: 5 }) })],
    ['chaos', 'refuseSend', () => network.failNext({ chaos: unknown({ refuseSends: 1 }) })],
  ])('of %s', (_, nearest, call) => {
    const message = expect.stringContaining(`did you mean '${nearest}'`)
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT', message }))
  })
})

describe('options out of range are refused', () => {
  it.each([{ seed: -1 }, { seed: 0.5 }, { recordByteLength: -1 }])('%o', (options) => {
    expect(() => createMockNetwork(options)).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }),
    )
  })

  it.each([
    { maxSendSize: 1023 },
    { sendSlots: 0 },
    { recvSlots: 0 },
    { recvWindow: 1000 },
    { maxSendSize: 4096, recvWindow: 2048 },
  ])('%o', (limits) => {
    const network = createMockNetwork()
    expect(() => network.builder(limits)).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }),
    )
  })

  it.each([
    { connect: 'sometimes' as never },
    { client: { maxChunk: 0 } },
    { server: { maxAccept: 0 } },
    { client: { latencyMs: -1 } },
    { client: { crashAfterBytes: 0.5 } },
    { server: { recvWindow: 100 } },
    { chaos: { refuseSend: 1.5 } },
    { chaos: { delayTurns: -1 } },
  ])('%o', (faults) => {
    const refusal = expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' })
    expect(() => createMockNetwork({ faults })).toThrow(refusal)
    expect(() => createMockNetwork().failNext(faults)).toThrow(refusal)
  })
})
