/** Lists of endpoints that change while a pool runs. */
import type { Address, HostAddress } from '@netts/core'
import { describe, expect, it } from 'vitest'
import type { PooledConnection } from '../pool.js'
import { A, B, C, Service } from '../test-support/service.js'
import { turns } from '../test-support/virtual-time.js'
import { dnsEndpoints, type SrvRecord, srvEndpoints } from './dns.js'
import type { Endpoint } from './endpoint-list.js'

type List = readonly (Address | Endpoint)[]

/** Lists that a test sends one by one. */
class Lists implements AsyncIterable<List> {
  readonly #ready: (List | Error)[] = []
  #wake = () => {}
  isLeft = false

  send(list: List | Error): void {
    this.#ready.push(list)
    this.#wake()
  }

  async *[Symbol.asyncIterator]() {
    try {
      for (;;) {
        const next = this.#ready.shift()
        if (next instanceof Error) throw next
        if (next) yield next
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
      }
    } finally {
      this.isLeft = true
    }
  }
}

const hostOf = (connection: PooledConnection) => (connection.endpoint.address as HostAddress).host

describe('lists that change', () => {
  it('are waited for, and take connections away when nobody has them', async () => {
    await using service = new Service()
    for (const address of [A, B, C]) await service.serve(address)
    const lists = new Lists()
    const pool = service.pool({ endpoints: lists })
    const waiting = pool.acquire()
    await turns()
    expect(pool.stats).toMatchObject({ waiting: 1, connecting: 0 })
    lists.send([A])
    const onA = await waiting
    expect(hostOf(onA)).toBe('a')
    lists.send([B])
    await turns()
    expect(pool.endpoints.map(({ address }) => address)).toEqual([B])
    await onA.send(Buffer.from('still mine'))
    expect(String(await onA.recv())).toBe('still mine')
    onA.release()
    await turns()
    expect(service.connections(A)).toBe(0)
    const onB = await pool.acquire()
    expect(hostOf(onB)).toBe('b')
    onB.release()
    expect(service.told('endpoints')).toMatchObject([
      { added: [A], removed: [] },
      { added: [B], removed: [A] },
    ])
  })

  it('give up attempts at an endpoint that left, and serve its callers elsewhere', async () => {
    await using service = new Service(({ address }) =>
      (address as HostAddress).host === 'a' ? { connect: 'never' } : {},
    )
    await service.serve(B)
    const lists = new Lists()
    const pool = service.pool({ endpoints: lists })
    lists.send([A])
    const waiting = pool.acquire()
    await turns()
    expect(pool.stats.connecting).toBe(1)
    lists.send([B])
    const connection = await waiting
    expect(hostOf(connection)).toBe('b')
    expect(pool.stats.connecting).toBe(0)
    connection.release()
  })

  it('keep what is known of an endpoint, but for its weight', async () => {
    await using service = new Service()
    await service.serve(A)
    const lists = new Lists()
    const pool = service.pool({ endpoints: lists })
    lists.send([{ address: A, weight: 1 }])
    ;(await pool.acquire()).release()
    lists.send([{ address: A, weight: 5 }, B])
    await turns()
    expect(pool.endpoints).toMatchObject([{ weight: 5, idle: 1 }, { weight: 1 }])
  })

  it('that fail leave the list as it is, are told, and are asked again', async () => {
    await using service = new Service()
    await service.serve(A)
    const lists = new Lists()
    const pool = service.pool({ endpoints: lists })
    const error = new Error('no such name')
    lists.send(error)
    await turns()
    await service.time.advance(1)
    expect(service.told('endpoints-failed')).toMatchObject([{ error: { cause: error } }])
    const rejected = expect(pool.acquire({ timeoutMs: 10 })).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      cause: { cause: error },
    })
    await service.time.advance(10)
    await rejected
    lists.send([A])
    await service.time.advance(1000)
    ;(await pool.acquire()).release()
    lists.send([A, { address: A }])
    await service.time.advance(1000)
    expect(service.told('endpoints-failed').at(-1)!.error.message).toBe('endpoints has the address a:1 twice')
    expect(pool.endpoints.map(({ address }) => address)).toEqual([A])
  })

  it('are left when the pool closes', async () => {
    await using service = new Service()
    const lists = new Lists()
    const pool = service.pool({ endpoints: lists })
    lists.send([A])
    await turns()
    await pool.close()
    lists.send([B])
    await turns()
    expect(lists.isLeft).toBe(true)
    expect(pool.endpoints.map(({ address }) => address)).toEqual([A])
    expect(service.time.pending).toBe(0)
  })
})

describe('a list', () => {
  it.each([
    ['nothing', []],
    ['what is no address', ['a:1']],
    ['a port 0', [{ host: 'a', port: 0 }]],
    ['an endpoint twice', [A, A]],
    ['a weight of 0', [{ address: A, weight: 0 }]],
    ['an unknown option', [{ address: A, wieght: 1 }]],
    ['what is no builder', [{ address: A, builder: {} }]],
  ])('is refused with %s', async (_what, endpoints) => {
    await using service = new Service()
    const make = () => service.pool({ endpoints: endpoints as never })
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }))
  })

  it('may name builders for each endpoint, and then the pool needs none', async () => {
    await using service = new Service()
    await service.serve(A)
    const builder = service.network.builder()
    const pool = service.pool({ builder: undefined, endpoints: [{ address: A, builder }] })
    ;(await pool.acquire()).release()
    expect(() => service.pool({ builder: undefined, endpoints: [A] })).toThrow(/needs one of its own/)
  })
})

/** The first lists of an iterable. */
async function take<L>(lists: AsyncIterable<L>, count: number): Promise<L[]> {
  const taken: L[] = []
  for await (const list of lists) {
    taken.push(list)
    if (taken.length === count) break
  }
  return taken
}

describe('dnsEndpoints', () => {
  it('makes an endpoint of each address, and looks again', async () => {
    const answers = [['10.0.0.1', '10.0.0.2', '10.0.0.1'], ['10.0.0.2']]
    const lists = dnsEndpoints('store.example', 7000, { refreshMs: 1, resolve: async () => answers.shift()! })
    expect(await take(lists, 2)).toEqual([
      [{ address: { host: '10.0.0.1', port: 7000 } }, { address: { host: '10.0.0.2', port: 7000 } }],
      [{ address: { host: '10.0.0.2', port: 7000 } }],
    ])
  })

  it('fails for a name without addresses', async () => {
    const lists = dnsEndpoints('store.example', 7000, { resolve: async () => [] })
    await expect(take(lists, 1)).rejects.toMatchObject({
      message: 'the lookup of store.example found no addresses',
    })
  })

  it('asks the system by default', async () => {
    const [list] = await take(dnsEndpoints('127.0.0.1', 80), 1)
    expect(list).toEqual([{ address: { host: '127.0.0.1', port: 80 } }])
  })

  it('stops at once when nobody follows it any more', async () => {
    const iterator = dnsEndpoints('a', 1, { resolve: async () => ['10.0.0.1'] })[Symbol.asyncIterator]()
    await iterator.next()
    const waiting = iterator.next()
    await iterator.return!()
    expect(await waiting).toEqual({ value: undefined, done: true })
  })
})

describe('srvEndpoints', () => {
  it('takes the targets of the lowest priority, with their weights', async () => {
    const records: SrvRecord[] = [
      { name: 'one', port: 1, priority: 10, weight: 60 },
      { name: 'two', port: 2, priority: 10, weight: 0 },
      { name: 'spare', port: 3, priority: 20, weight: 1 },
    ]
    const lists = srvEndpoints('_store._tcp.example', { resolve: async () => records })
    expect(await take(lists, 1)).toEqual([
      [
        { address: { host: 'one', port: 1 }, weight: 60 },
        { address: { host: 'two', port: 2 }, weight: 0.1 },
      ],
    ])
  })

  it('fails for a service that is not offered', async () => {
    const nowhere = { name: '', port: 0, priority: 0, weight: 0 }
    const lists = srvEndpoints('_store._tcp.example', { resolve: async () => [nowhere] })
    await expect(take(lists, 1)).rejects.toMatchObject({
      message: 'the lookup of _store._tcp.example found no SRV records',
    })
  })
})
