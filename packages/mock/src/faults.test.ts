import { connect, listen, type RecvCompletion, type Transport } from '@netts/core'
import { describe, expect, it, vi } from 'vitest'
import {
  createMockNetwork,
  createVirtualClock,
  type MockBuilderOptions,
  type MockFaults,
  type MockLink,
  type MockNetworkOptions,
} from './index.js'

interface Pair {
  readonly client: Transport
  readonly server: Transport
  readonly link: MockLink
}

async function pair(
  faults: MockFaults = {},
  limits: MockBuilderOptions = {},
  options: MockNetworkOptions = {},
): Promise<Pair> {
  const network = createMockNetwork({ ...options, faults })
  const driver = network.builder(limits)
  const listener = await driver.listen({ host: 'service', port: 80 })
  const client = await driver.connect(listener.address)
  const server = (await listener.accept())!
  return { client, server, link: network.links[0]! }
}

/** Lets everything happen that needs no clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const { setImmediate } = globalThis

/** The chunks that are there. */
function receive(transport: Transport): Buffer[] {
  const chunks: Buffer[] = []
  const out: [RecvCompletion] = [{ chunkIndex: -1, byteLength: -1 }]
  while (transport.pollRecv(out) > 0) {
    chunks.push(Buffer.from(transport.recvBuf(out[0].chunkIndex)))
    transport.repostRecv(out[0].chunkIndex)
  }
  return chunks
}

const text = (transport: Transport) => Buffer.concat(receive(transport)).toString()

describe('latency', () => {
  it('passes by the clock that the network was given', async () => {
    const clock = createVirtualClock()
    const connecting = pair({ client: { latencyMs: 20 }, server: { latencyMs: 5 } }, {}, { clock })
    await settle()
    clock.advance(25)
    const { client, server } = await connecting
    client.sendCopy(Buffer.from('there'))
    server.sendCopy(Buffer.from('back'))
    await settle()
    expect([text(client), text(server)]).toEqual(['', ''])
    clock.advance(5)
    await settle()
    expect([text(client), text(server)]).toEqual(['back', ''])
    clock.advance(15)
    await settle()
    expect([text(client), text(server)]).toEqual(['', 'there'])
  })

  it('passes by fake timers, which stop nothing else', async () => {
    vi.useFakeTimers()
    try {
      const connecting = pair({ client: { latencyMs: 1000 } })
      await vi.advanceTimersByTimeAsync(1000)
      await settle()
      const { client, server } = await connecting
      client.sendCopy(Buffer.from('slow'))
      server.sendCopy(Buffer.from('fast'))
      await settle()
      expect([text(client), text(server)]).toEqual(['fast', ''])
      await vi.advanceTimersByTimeAsync(1000)
      await settle()
      expect(text(server)).toBe('slow')
    } finally {
      vi.useRealTimers()
    }
  })

  it('delays the end and a reset too', async () => {
    const clock = createVirtualClock()
    const connecting = pair({ client: { latencyMs: 10 } }, {}, { clock })
    await settle()
    clock.advance(10)
    const { client, server } = await connecting
    client.finish()
    await settle()
    expect(server.recvEnded).toBe(false)
    clock.advance(10)
    await settle()
    expect(server.recvEnded).toBe(true)
    client.destroy()
    await settle()
    expect(server.pollDisconnect()).toBe(false)
    clock.advance(10)
    await settle()
    expect(server.error).toMatchObject({ code: 'ERR_NETTS_RESET' })
  })
})

describe('sizes', () => {
  it('maxChunk splits what arrives', async () => {
    const { client, server } = await pair({ client: { maxChunk: 4 } })
    client.sendCopy(Buffer.from('0123456789'))
    await settle()
    expect(receive(server).map(String)).toEqual(['0123', '4567', '89'])
  })

  it('maxAccept takes little of each send', async () => {
    const { client, server } = await pair({ client: { maxAccept: 3 } })
    expect(client.sendCopy(Buffer.from('0123456789'))).toBe(3)
    expect(client.sendGather([Buffer.from('ab'), Buffer.from('cdef')])).toBe(3)
    await settle()
    expect(text(server)).toBe('012abc')
  })

  it('slots and windows bound what is under way, until the receiver releases', async () => {
    const limits = { maxSendSize: 1024, sendSlots: 2, recvSlots: 3, recvWindow: 2048 }
    const { client, server } = await pair({}, limits)
    const send = () => {
      let sends = 0
      while (client.sendCopy(Buffer.alloc(1024)) > 0) sends++
      return sends
    }
    expect(send()).toBe(2)
    await settle()
    // Two fill the receiver's window; two more wait in the sender's slots.
    expect(send()).toBe(2)
    await settle()
    expect(send()).toBe(0)
    expect(receive(server).length).toBe(2)
    await settle()
    expect(send()).toBe(2)
    client.destroy()
  })

  it('one connection can be narrower than its builder', async () => {
    const { client, server } = await pair({ client: { sendSlots: 1 }, server: { recvWindow: 20_000 } })
    expect(server.recvWindow).toBe(20_000)
    expect(client.sendCopy(Buffer.from('a'))).toBe(1)
    expect(client.sendCopy(Buffer.from('b'))).toBe(0)
  })
})

describe('stalls', () => {
  it('stallAfterBytes holds up what comes behind, until resume', async () => {
    const { client, server, link } = await pair({ client: { stallAfterBytes: 5 } })
    client.sendCopy(Buffer.from('0123456789'))
    await settle()
    expect(text(server)).toBe('01234')
    expect(client.sendsInFlight).toBe(1)
    link.client.resume()
    await settle()
    expect(text(server)).toBe('56789')
  })

  it('stall and resume work at any time, one direction at a time', async () => {
    const { client, server, link } = await pair()
    link.client.stall()
    client.sendCopy(Buffer.from('waits'))
    server.sendCopy(Buffer.from('goes'))
    await settle()
    expect([text(server), text(client)]).toEqual(['', 'goes'])
    link.client.resume()
    await settle()
    expect(text(server)).toBe('waits')
  })
})

describe('endings', () => {
  it('crashAfterBytes delivers that much, then loses the peer', async () => {
    const { client, server } = await pair({ client: { crashAfterBytes: 4 } })
    client.sendCopy(Buffer.from('0123456789'))
    await settle()
    expect(text(server)).toBe('0123')
    expect(server.recvEnded).toBe(false)
    expect(server.error).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    expect(client.state).toBe('closed')
    expect(client.sendCopy(Buffer.from('more'))).toBe(0)
  })

  it('crashAfterBytes 0 crashes with no send at all', async () => {
    const { server } = await pair({ client: { crashAfterBytes: 0 } })
    await settle()
    expect(server.error).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
  })

  it('endAfterBytes delivers that much, then looks like a clean end', async () => {
    const { client, server } = await pair({ client: { endAfterBytes: 4 } })
    client.sendCopy(Buffer.from('0123456789'))
    await settle()
    expect(text(server)).toBe('0123')
    expect(server.recvEnded).toBe(true)
    expect(server.pollDisconnect()).toBe(false)
    // As with a kernel that closed for its process, what is sent there vanishes.
    expect(server.sendCopy(Buffer.from('anybody?'))).toBe(8)
    server.finish()
    await settle()
    expect(server.state).toBe('closed')
    expect(server.error).toBeUndefined()
  })

  it('crash and end work at any time', async () => {
    const crashing = await pair()
    crashing.link.server.crash()
    await settle()
    expect(crashing.client.error).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    const ending = await pair()
    ending.link.server.end()
    await settle()
    expect(ending.client.recvEnded).toBe(true)
    expect(ending.client.error).toBeUndefined()
  })

  it('disconnect gives up on a wire that takes nothing for 5 s of the clock', async () => {
    const clock = createVirtualClock()
    const { client, server, link } = await pair({}, {}, { clock })
    link.client.stall()
    client.sendCopy(Buffer.from('never arrives'))
    client.disconnect()
    await settle()
    clock.advance(4999)
    expect(client.state).toBe('disconnecting')
    clock.advance(1)
    expect(client.error).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    await settle()
    expect(server.error).toMatchObject({ code: 'ERR_NETTS_RESET' })
  })

  it('disconnect gives up after one step of fake timers, however large', async () => {
    const { client, link } = await pair()
    link.client.stall()
    client.sendCopy(Buffer.from('never arrives'))
    vi.useFakeTimers()
    try {
      client.disconnect({ timeoutMs: 60_000 })
      vi.advanceTimersByTime(60_000)
      expect(client.error).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
    } finally {
      vi.useRealTimers()
    }
  })

  it('behind a disconnect the peer may send for 5 s of the clock, and then loses nothing either', async () => {
    const clock = createVirtualClock()
    const { client, server } = await pair({}, {}, { clock })
    client.sendCopy(Buffer.from('bye'))
    client.disconnect()
    await settle()
    expect([client.state, client.error]).toEqual(['closed', undefined])
    server.sendCopy(Buffer.from('late'))
    clock.advance(5000)
    server.sendCopy(Buffer.from('later'))
    await settle()
    expect(text(server)).toBe('bye')
    expect(server.pollSendCompletion()).toBe(2)
    server.disconnect()
    await settle()
    expect([server.state, server.error]).toEqual(['closed', undefined])
  })
})

describe('memory that goes away while its send waits', () => {
  const size = 100_000

  /** Lends `data` to a send that waits half-way, lets its memory go, and lets the wire go on. */
  async function lose(data: Uint8Array, go: () => void): Promise<{ error: unknown; received: Buffer[] }> {
    const network = createMockNetwork({ faults: { client: { stallAfterBytes: 20_000 } } })
    const driver = network.builder()
    const server = await listen(driver, { host: 'service', port: 80 })
    const client = await connect(driver, server.address)
    const accepted = (await server.accept())!
    const received: Buffer[] = []
    const receiving = (async () => {
      for await (const message of accepted) received.push(message)
    })().catch(() => {})
    client.send(data).catch(() => {})
    await settle()
    go()
    network.links[0]!.client.resume()
    const error = await client.closed
    await receiving
    await server.close()
    return { error, received }
  }

  it.each<[string, () => [Uint8Array, () => void]]>([
    [
      'an ArrayBuffer that was transferred',
      () => {
        const data = new Uint8Array(size).fill(1)
        return [data, () => structuredClone(data.buffer, { transfer: [data.buffer] })]
      },
    ],
    [
      'a resizable buffer that shrank',
      () => {
        const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer
        const buffer = new Resizable(size, { maxByteLength: size })
        return [new Uint8Array(buffer), () => (buffer as unknown as { resize(to: number): void }).resize(10)]
      },
    ],
    [
      'a WebAssembly memory that grew',
      () => {
        type Memory = new (limits: { initial: number }) => { buffer: ArrayBuffer; grow(pages: number): void }
        const { Memory } = Reflect.get(globalThis, 'WebAssembly') as { Memory: Memory }
        const memory = new Memory({ initial: 2 })
        return [new Uint8Array(memory.buffer, 0, size), () => memory.grow(1)]
      },
    ],
  ])('%s fails the connection, and no other bytes arrive', async (_, make) => {
    const { error, received } = await lose(...make())
    expect(error).toMatchObject({ code: 'ERR_NETTS_BUFFER_DETACHED' })
    expect(received).toEqual([])
  })
})

describe('a link', () => {
  it('records what each side sent, up to the limit', async () => {
    const { client, server, link } = await pair({}, {}, { recordByteLength: 8 })
    const buffer = client.bufferPool.alloc(5)
    buffer.bytes.set(Buffer.from('hello'))
    client.sendBuffer(buffer)
    client.sendGather([Buffer.from(' wor'), Buffer.from('ld')])
    server.sendCopy(Buffer.from('hi'))
    expect([String(link.client.sent), link.client.sentByteLength]).toEqual(['hello wo', 11])
    expect([String(link.server.sent), link.server.sentByteLength]).toEqual(['hi', 2])
  })

  it('knows what is queued, until the peer has it or the end drops it', async () => {
    const { client, link } = await pair({ client: { stallAfterBytes: 4 } })
    client.sendCopy(Buffer.from('0123456789'))
    expect(client.queuedBytes).toBe(10)
    await settle()
    expect(client.queuedBytes).toBe(6)
    expect(client.unacknowledgedBytes()).toBe(6)
    link.client.resume()
    await settle()
    expect(client.queuedBytes).toBe(0)
    link.client.stall()
    client.sendCopy(Buffer.from('lost'))
    client.destroy()
    expect(client.queuedBytes).toBe(0)
  })

  it('overwrites released chunks, so that a use after the release shows', async () => {
    const { client, server } = await pair()
    client.sendCopy(Buffer.from('secret'))
    await settle()
    const out: [RecvCompletion] = [{ chunkIndex: -1, byteLength: -1 }]
    server.pollRecv(out)
    const bytes = server.recvBuf(out[0].chunkIndex)
    server.repostRecv(out[0].chunkIndex)
    expect([...bytes]).toEqual(Array(6).fill(0xdb))
  })
})

describe('chaos', () => {
  /** What happens to a writer and its reader, step by step. */
  async function run(seed: number): Promise<string> {
    const events: string[] = []
    const { client, server } = await pair({ chaos: true }, { maxSendSize: 1024 }, { seed })
    for (let i = 0; i < 60; i++) {
      events.push(`sent ${client.sendCopy(Buffer.alloc(500))}`)
      await new Promise((resolve) => setImmediate(resolve))
      events.push(...receive(server).map(({ byteLength }) => `got ${byteLength}`))
      events.push(`completed ${client.pollSendCompletion()}`)
    }
    client.destroy()
    return events.join('\n')
  }

  it('replays with its seed, and differs with another one', async () => {
    const first = await run(7)
    expect(await run(7)).toBe(first)
    expect(await run(8)).not.toBe(first)
    expect(first).toContain('sent 0')
    expect(first).toMatch(/sent (?!500)[1-9]/)
  })

  it('crashes and refuses with the probabilities it is given', async () => {
    const { client, server } = await pair({ chaos: { crash: 1 } })
    client.sendCopy(Buffer.from('never arrives'))
    await settle()
    expect(text(server)).toBe('')
    expect(server.error).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
    await expect(pair({ chaos: { refuseConnect: 1 } })).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
    })
  })

  it('decides for each connection apart', async () => {
    const network = createMockNetwork({ seed: 3, faults: { chaos: { refuseConnect: 0.5 } } })
    const driver = network.builder()
    const { address } = await driver.listen({ host: 'service', port: 80 })
    const attempts = Array.from({ length: 40 }, () =>
      driver.connect(address).then(
        () => true,
        () => false,
      ),
    )
    const made = (await Promise.all(attempts)).filter(Boolean).length
    expect(made).toBeGreaterThan(5)
    expect(made).toBeLessThan(35)
    expect(network.links.length).toBe(made)
  })
})

describe('the virtual clock', () => {
  it('runs what became due in order, also what that started', () => {
    const clock = createVirtualClock()
    const ran: string[] = []
    clock.setTimeout(() => ran.push(`late at ${clock.nowMs}`), 30)
    clock.setTimeout(() => {
      ran.push(`early at ${clock.nowMs}`)
      clock.setTimeout(() => ran.push(`between at ${clock.nowMs}`), 5)
    }, 10)
    clock.clearTimeout(clock.setTimeout(() => ran.push('cleared'), 20))
    clock.advance(29)
    expect(ran).toEqual(['early at 10', 'between at 15'])
    clock.advance(1)
    expect(ran.at(-1)).toBe('late at 30')
    expect(clock.nowMs).toBe(30)
  })
})
