/** Several wires as one builder, over drivers in memory that fail as they are told. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import type { Address, HostAddress } from '../address.js'
import { connect, listen } from '../connection/connect.js'
import { DIAGNOSTICS_CHANNELS, type WireFallbackEvent } from '../diagnostics.js'
import { BaseListener } from '../driver/base-listener.js'
import { createBuilder } from '../driver/create-builder.js'
import { NettsError, type NettsErrorCode } from '../errors.js'
import { settle } from '../test-support/connection-pair.js'
import { type LoopbackTransport, loopbackPair } from '../test-support/loopback.js'
import type { TransportBuilder } from '../transport.js'
import { preferring } from './preferring.js'
import { wireOf } from './wire-of.js'

const here: HostAddress = { host: 'here', port: 7000 }

const failure = (code: NettsErrorCode, cause?: unknown) => new NettsError(code, `it says ${code}`, { cause })

class Listener extends BaseListener<LoopbackTransport> {
  readonly address: Address
  readonly #wire: Wire
  isReferenced = true

  constructor(wire: Wire, address: Address, backlog: number) {
    super(backlog)
    this.#wire = wire
    this.address = address
  }

  push(transport: LoopbackTransport): void {
    this.queue.push(transport)
  }

  /** Connections that nobody has accepted. */
  get waiting(): number {
    return this.queue.length
  }

  break(error: NettsError): void {
    this.queue.fail(error)
  }

  ref(): void {
    this.isReferenced = true
  }

  unref(): void {
    this.isReferenced = false
  }

  protected stop(): void {
    this.#wire.listeners.delete(this)
  }
}

/** One wire of a machine. */
class Wire {
  readonly name: string
  readonly listeners = new Set<Listener>()
  /** The addresses that it was asked to connect to. */
  readonly asked: Address[] = []
  /** What connecting ends with; `never` does not end. */
  connecting: NettsError | 'never' | 'works' = 'works'
  listening: NettsError | undefined
  /** Ports that somebody else has. */
  readonly taken = new Set<number>()
  /** The port that it chooses for 0. */
  nextPort = 50_000
  readonly builder: TransportBuilder<LoopbackTransport>
  ended = 0

  constructor(name: string) {
    this.name = name
    this.builder = createBuilder({
      name,
      connect: async (address, ended) => {
        this.asked.push(address)
        if (this.connecting === 'never') {
          return new Promise((_resolve, reject) => {
            ended.onabort = () => {
              this.ended++
              reject(ended.reason)
            }
          })
        }
        if (this.connecting !== 'works') throw this.connecting
        const [client, server] = loopbackPair()
        for (const listener of this.listeners) listener.push(server)
        return client
      },
      listen: async (address, backlog) => {
        if (this.listening) throw this.listening
        const { host, port: given } = address as HostAddress
        const port = given === 0 ? this.nextPort++ : given
        if (this.taken.has(port)) throw failure('ERR_NETTS_LISTEN_FAILED')
        const listener = new Listener(this, { host, port }, backlog)
        this.listeners.add(listener)
        return listener
      },
    })
  }
}

const wires = () => [new Wire('ring'), new Wire('tcp')] as const

async function fallbacksOf(action: () => Promise<unknown>): Promise<WireFallbackEvent[]> {
  const told: WireFallbackEvent[] = []
  const onEvent = (message: unknown) => told.push(message as WireFallbackEvent)
  subscribe(DIAGNOSTICS_CHANNELS.wireFallback, onEvent)
  try {
    await action().catch(() => {})
  } finally {
    unsubscribe(DIAGNOSTICS_CHANNELS.wireFallback, onEvent)
  }
  return told
}

describe('connecting', () => {
  it('takes the first wire that works, and says which', async () => {
    const [ring, tcp] = wires()
    const connection = await connect(preferring(ring.builder, tcp.builder), here)
    expect(wireOf(connection.transport)).toBe('ring')
    expect(tcp.asked).toEqual([])
    connection.destroy()
  })

  it('says the driver also when one of the wires is several itself', async () => {
    const [ring, tcp] = wires()
    const builder = preferring(preferring(ring.builder, tcp.builder), new Wire('last').builder)
    const listener = await builder.listen(here)
    const transport = await builder.connect(here)
    const accepted = await listener.accept()
    expect([wireOf(transport), wireOf(accepted!)]).toEqual(['ring', 'ring'])
    transport.destroy()
    await listener.close()
  })

  it.each([
    'ERR_NETTS_UNAVAILABLE',
    'ERR_NETTS_UNSUPPORTED',
    'ERR_NETTS_CONNECT_FAILED',
    'ERR_NETTS_REJECTED',
    'ERR_NETTS_RESET',
    'ERR_NETTS_PEER_LOST',
    'ERR_NETTS_VERBS',
  ] as const)('falls to the next wire after %s, which is counted and told', async (code) => {
    const [ring, tcp] = wires()
    ring.connecting = failure(code)
    const builder = preferring(ring.builder, tcp.builder)
    const told = await fallbacksOf(async () => {
      for (let n = 0; n < 2; n++) {
        const transport = await builder.connect(here)
        expect(wireOf(transport)).toBe('tcp')
        transport.destroy()
      }
    })
    expect(told).toMatchObject([
      { wire: 'ring', address: here, operation: 'connect', reason: code, error: ring.connecting, count: 1 },
      { count: 2 },
    ])
    expect(builder.fallbacks).toEqual([
      { wire: 'ring', counts: { [code]: 2 } },
      { wire: 'tcp', counts: {} },
    ])
  })

  it.each([
    ['a mistake in arguments', failure('ERR_NETTS_INVALID_ARGUMENT')],
    ['what the peer may not say', failure('ERR_NETTS_PROTOCOL')],
    ['a driver that threw', failure('ERR_NETTS_INTERNAL')],
    ['a certificate that has expired', failure('ERR_NETTS_CONNECT_FAILED', { code: 'CERT_HAS_EXPIRED' })],
    [
      'a certificate of somebody else, deep in the causes',
      failure('ERR_NETTS_CONNECT_FAILED', { cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } }),
    ],
    [
      'a certificate that nobody vouches for',
      failure('ERR_NETTS_REJECTED', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }),
    ],
    ['an alert of TLS', failure('ERR_NETTS_RESET', { code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' })],
  ])('does not fall after %s', async (_what, error) => {
    const [ring, tcp] = wires()
    ring.connecting = error
    const told = await fallbacksOf(() =>
      expect(preferring(ring.builder, tcp.builder).connect(here)).rejects.toBe(error),
    )
    expect(told).toEqual([])
    expect(tcp.asked).toEqual([])
  })

  it('leaves time for the next wire when one swallows everything', async () => {
    const [ring, tcp] = wires()
    ring.connecting = 'never'
    const told = await fallbacksOf(async () => {
      const transport = await preferring(ring.builder, tcp.builder).connect(here, { timeoutMs: 60 })
      expect(wireOf(transport)).toBe('tcp')
      transport.destroy()
    })
    expect(told).toMatchObject([{ wire: 'ring', reason: 'ERR_NETTS_TIMEOUT' }])
    expect(told[0]!.error.message).toMatch(/within 30 ms/)
    expect(ring.ended).toBe(1)
  })

  it('has one deadline over all wires, and names what became of each', async () => {
    const [ring, tcp] = wires()
    ring.connecting = failure('ERR_NETTS_UNAVAILABLE')
    tcp.connecting = 'never'
    const error = await preferring(ring.builder, tcp.builder)
      .connect(here, { timeoutMs: 30 })
      .catch((error: NettsError) => error)
    expect(error).toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      message: expect.stringMatching(
        /^connecting failed over every wire: ring: it says ERR_NETTS_UNAVAILABLE; tcp: connect to/,
      ),
      cause: { errors: [ring.connecting, { code: 'ERR_NETTS_TIMEOUT' }] },
    })
  })

  it('ends with its signal, whichever wire is tried', async () => {
    const [ring, tcp] = wires()
    ring.connecting = 'never'
    const abort = new AbortController()
    const builder = preferring(ring.builder, tcp.builder)
    const connecting = builder.connect(here, { signal: abort.signal })
    abort.abort()
    await expect(connecting).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    expect(ring.ended).toBe(1)
    expect(tcp.asked).toEqual([])
    expect(builder.fallbacks[0]!.counts).toEqual({})
  })

  it('uses the address of a wire that has one of its own', async () => {
    const [ring, tcp] = wires()
    ring.connecting = failure('ERR_NETTS_CONNECT_FAILED')
    const fabric = { host: 'fabric', port: 18_515 }
    const builder = preferring({ builder: ring.builder, address: fabric }, tcp.builder)
    ;(await builder.connect(here)).destroy()
    expect([ring.asked, tcp.asked]).toEqual([[fabric], [here]])
  })

  it('tells wires of the same name apart', async () => {
    const [one, two] = [new Wire('tcp'), new Wire('tcp')]
    const fabric = { host: 'fabric', port: 1 }
    one.connecting = failure('ERR_NETTS_CONNECT_FAILED')
    const builder = preferring({ builder: one.builder, address: fabric }, two.builder)
    expect(builder.name).toBe('preferring(tcp, tcp#2)')
    const listener = await builder.listen(here)
    expect(listener.addresses.map(({ wire }) => wire)).toEqual(['tcp', 'tcp#2'])
    const transport = await builder.connect(here)
    const accepted = await listener.accept()
    expect([wireOf(transport), wireOf(accepted!)]).toEqual(['tcp#2', 'tcp#2'])
    expect(builder.fallbacks).toEqual([
      { wire: 'tcp', counts: { ERR_NETTS_CONNECT_FAILED: 1 } },
      { wire: 'tcp#2', counts: {} },
    ])
    transport.destroy()
    await listener.close()
  })

  it('refuses candidates that are none', () => {
    const refused = expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' })
    expect(() => preferring()).toThrow(refused)
    expect(() => preferring({} as never)).toThrow(refused)
    expect(() => preferring(undefined as never)).toThrow(refused)
    expect(() => preferring({ builder: new Wire('x').builder, adress: here } as never)).toThrow(refused)
  })
})

describe('listening', () => {
  it('listens over every wire, with one port, and names each', async () => {
    const [ring, tcp] = wires()
    const server = await listen(preferring(ring.builder, tcp.builder), { host: 'here', port: 0 })
    const address = { host: 'here', port: 50_000 }
    expect(server.addresses).toEqual([
      { wire: 'ring', address },
      { wire: 'tcp', address },
    ])
    expect(server.address).toEqual(address)
    const overRing = await ring.builder.connect(here)
    const overTcp = await tcp.builder.connect(here)
    const accepted = [await server.accept(), await server.accept()]
    expect(accepted.map((connection) => wireOf(connection!.transport)).sort()).toEqual(['ring', 'tcp'])
    for (const one of [overRing, overTcp]) one.destroy()
    await server.close()
    expect(await server.accept()).toBe(undefined)
    expect(ring.listeners.size + tcp.listeners.size).toBe(0)
  })

  it('says where it listens without preferring, too', async () => {
    const [, tcp] = wires()
    const server = await listen(tcp.builder, here)
    expect(server.addresses).toEqual([{ wire: 'tcp', address: here }])
    await server.close()
  })

  it('leaves out a wire that this machine does not have, which is counted and told', async () => {
    const [ring, tcp] = wires()
    ring.listening = failure('ERR_NETTS_UNAVAILABLE')
    const builder = preferring(ring.builder, tcp.builder)
    const told = await fallbacksOf(async () => {
      const listener = await builder.listen(here)
      expect(listener.addresses).toEqual([{ wire: 'tcp', address: here }])
      await listener.close()
    })
    expect(told).toMatchObject([
      { wire: 'ring', operation: 'listen', reason: 'ERR_NETTS_UNAVAILABLE', count: 1 },
    ])
  })

  it('rejects when the machine has none of them', async () => {
    const [ring, tcp] = wires()
    ring.listening = failure('ERR_NETTS_UNAVAILABLE')
    tcp.listening = failure('ERR_NETTS_UNSUPPORTED')
    await expect(preferring(ring.builder, tcp.builder).listen(here)).rejects.toMatchObject({
      code: 'ERR_NETTS_UNAVAILABLE',
      cause: { errors: [ring.listening, tcp.listening] },
    })
  })

  it('listens on all or on none', async () => {
    const [ring, tcp] = wires()
    tcp.taken.add(7000)
    await expect(preferring(ring.builder, tcp.builder).listen(here)).rejects.toMatchObject({
      code: 'ERR_NETTS_LISTEN_FAILED',
    })
    expect(ring.listeners.size).toBe(0)
  })

  it('says which wire has the address already when another one cannot have it, as on iWARP', async () => {
    const [ring, tcp] = wires()
    tcp.taken.add(7000)
    await expect(preferring(ring.builder, tcp.builder).listen(here)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^tcp cannot listen at the same address as ring: .*iWARP.*its own address/,
      ),
      cause: { code: 'ERR_NETTS_LISTEN_FAILED', message: 'it says ERR_NETTS_LISTEN_FAILED' },
    })
    const fabric = { host: 'fabric', port: 1 }
    await expect(
      preferring({ builder: ring.builder, address: fabric }, tcp.builder).listen(here),
    ).rejects.toMatchObject({ message: 'it says ERR_NETTS_LISTEN_FAILED' })
    expect(ring.listeners.size).toBe(0)
  })

  it('tries another port when the one that was chosen is taken on another wire, and gives up in the end', async () => {
    const [ring, tcp] = wires()
    tcp.taken.add(50_000).add(50_001)
    const builder = preferring(ring.builder, tcp.builder)
    const listener = await builder.listen({ host: 'here', port: 0 })
    expect(listener.address).toEqual({ host: 'here', port: 50_002 })
    expect([ring.listeners.size, tcp.listeners.size]).toEqual([1, 1])
    await listener.close()
    tcp.listening = failure('ERR_NETTS_LISTEN_FAILED')
    await expect(builder.listen({ host: 'here', port: 0 })).rejects.toMatchObject({ cause: tcp.listening })
    expect([ring.listeners.size, ring.nextPort]).toEqual([0, 50_013])
  })

  it('leaves the port of a wire alone that has an address of its own', async () => {
    const [ring, tcp] = wires()
    const fabric = { host: 'fabric', port: 0 }
    const listener = await preferring({ builder: ring.builder, address: fabric }, tcp.builder).listen(here)
    expect(listener.addresses).toEqual([
      { wire: 'ring', address: { host: 'fabric', port: 50_000 } },
      { wire: 'tcp', address: here },
    ])
    await listener.close()
  })

  it('loses no connection to an accept that was cancelled, and destroys what nobody accepted', async () => {
    const [ring, tcp] = wires()
    const listener = await preferring(ring.builder, tcp.builder).listen(here)
    const abort = new AbortController()
    const cancelled = listener.accept({ signal: abort.signal })
    abort.abort()
    await expect(cancelled).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    const first = await tcp.builder.connect(here)
    await settle()
    const accepted = await listener.accept()
    expect(wireOf(accepted!)).toBe('tcp')
    const second = await ring.builder.connect(here)
    await settle()
    await listener.close()
    await settle()
    expect(first.error).toBe(undefined)
    expect(second.error).toMatchObject({ code: 'ERR_NETTS_RESET' })
    first.destroy()
  })

  it('takes no more from a wire than somebody waits for', async () => {
    const [ring, tcp] = wires()
    const listener = await preferring(ring.builder, tcp.builder).listen(here, { backlog: 3 })
    const waiting = listener.accept()
    const clients = await Promise.all([1, 2, 3].map(() => tcp.builder.connect(here)))
    await waiting
    const [of] = tcp.listeners
    await settle()
    // One was accepted, and two still wait in the backlog of the wire.
    expect(of!.waiting).toBe(2)
    await listener.accept()
    await listener.accept()
    for (const client of clients) client.destroy()
    await listener.close()
  })

  it('tells when one wire broke', async () => {
    const [ring, tcp] = wires()
    const listener = await preferring(ring.builder, tcp.builder).listen(here)
    const accepting = listener.accept()
    const [broken] = ring.listeners
    broken!.break(failure('ERR_NETTS_VERBS'))
    await expect(accepting).rejects.toMatchObject({ code: 'ERR_NETTS_VERBS' })
    await listener.close()
  })

  it('keeps the process alive, or not, with all wires', async () => {
    const [ring, tcp] = wires()
    const listener = await preferring(ring.builder, tcp.builder).listen(here)
    const [one] = ring.listeners
    const [two] = tcp.listeners
    listener.unref()
    expect([one!.isReferenced, two!.isReferenced]).toEqual([false, false])
    listener.ref()
    expect([one!.isReferenced, two!.isReferenced]).toEqual([true, true])
    await listener.close()
  })
})
