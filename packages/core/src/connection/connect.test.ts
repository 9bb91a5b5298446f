/** connect and listen, over a driver that works in memory. */
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, vi } from 'vitest'
import type { Address } from '../address.js'
import { DIAGNOSTICS_CHANNELS } from '../diagnostics.js'
import { BaseListener } from '../driver/base-listener.js'
import { wireOf } from '../preferring/wire-of.js'
import { connectionAndPeer } from '../test-support/connection-pair.js'
import { type LoopbackTransport, loopbackPair } from '../test-support/loopback.js'
import type { ConnectOptions, ListenOptions, TransportBuilder, TransportListener } from '../transport.js'
import { connect, listen } from './connect.js'

const address: Address = { path: 'here' }

class LoopbackListener extends BaseListener<LoopbackTransport> {
  readonly address = address
  isReferenced = true

  constructor() {
    super(8)
  }

  push(transport: LoopbackTransport): void {
    this.queue.push(transport)
  }

  ref(): void {
    this.isReferenced = true
  }

  unref(): void {
    this.isReferenced = false
  }

  protected stop(): void {}
}

/** A driver of one listener. */
class LoopbackBuilder implements TransportBuilder<LoopbackTransport> {
  readonly name = 'loopback'
  readonly listener = new LoopbackListener()

  async connect(_address: Address, _options?: ConnectOptions): Promise<LoopbackTransport> {
    const [client, server] = loopbackPair()
    this.listener.push(server)
    return client
  }

  async listen(_address: Address, _options?: ListenOptions): Promise<TransportListener<LoopbackTransport>> {
    return this.listener
  }
}

describe('an attempt to connect', () => {
  /** What a tracing channel tells while it is subscribed to. */
  function traced() {
    const told: { event: string; message: Record<string, unknown> }[] = []
    const tell = (event: string) => (message: unknown) => {
      told.push({ event, message: { ...(message as object) } })
    }
    const listeners = {
      start: tell('start'),
      end: tell('end'),
      asyncStart: tell('asyncStart'),
      asyncEnd: tell('asyncEnd'),
      error: tell('error'),
    }
    const channel = tracingChannel(DIAGNOSTICS_CHANNELS.connectTracing)
    channel.subscribe(listeners)
    return { told, [Symbol.dispose]: () => channel.unsubscribe(listeners) }
  }

  it('is traced from its start to the connection', async () => {
    using trace = traced()
    const connection = await connect(new LoopbackBuilder(), address)
    expect(trace.told.map(({ event }) => event)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(trace.told[0]!.message).toEqual({ address, wire: 'loopback' })
    expect(trace.told[2]!.message.result).toBe(connection)
    connection.destroy()
  })

  it('is traced from its start to the error, which the caller gets as it is', async () => {
    using trace = traced()
    const driver = new LoopbackBuilder()
    const failure = new Error('no')
    driver.connect = () => Promise.reject(failure)
    await expect(connect(driver, address)).rejects.toBe(failure)
    expect(trace.told.map(({ event }) => event)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    expect(trace.told[2]!.message.error).toBe(failure)
  })
})

describe('connect and listen', () => {
  it('remember which driver made a connection', async () => {
    const driver = new LoopbackBuilder()
    const server = await listen(driver, address)
    const client = await connect(driver, address)
    const accepted = (await server.accept())!
    expect([client, accepted].map(({ transport }) => wireOf(transport))).toEqual(['loopback', 'loopback'])
    client.destroy()
    accepted.destroy()
    await server.close()
  })

  it('make an echo service of any driver', async () => {
    const driver = new LoopbackBuilder()
    const server = await listen(driver, address)
    expect(server.address).toBe(address)
    const echo = (async () => {
      for await (const connection of server) {
        ;(async () => {
          for await (const message of connection) await connection.send(message)
        })().catch(console.error)
      }
    })()
    for (let n = 0; n < 3; n++) {
      const client = await connect(driver, server.address)
      await client.send(Buffer.from(`hello ${n}`))
      expect((await client.recv())?.toString()).toBe(`hello ${n}`)
      await client.close()
      expect(await client.closed).toBe(undefined)
    }
    await server.close()
    await echo
    expect(await server.accept()).toBe(undefined)
  })

  it('apply the limits on both sides, and pass the rest to the driver', async () => {
    const driver = new LoopbackBuilder()
    const connecting = vi.spyOn(driver, 'connect')
    const listening = vi.spyOn(driver, 'listen')
    const server = await listen(driver, address, { maxMessageSize: 10, backlog: 3 })
    const { signal } = new AbortController()
    const client = await connect(driver, address, { maxMessageSize: 20, signal, timeoutMs: 5 })
    expect(connecting).toHaveBeenCalledWith(address, expect.objectContaining({ signal, timeoutMs: 5 }))
    expect(listening).toHaveBeenCalledWith(address, expect.objectContaining({ backlog: 3 }))
    const accepted = (await server.accept())!
    expect([client.maxMessageSize, accepted.maxMessageSize]).toEqual([20, 10])
    await client.send(Buffer.alloc(11))
    await expect(accepted.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_PROTOCOL' })
    await server[Symbol.asyncDispose]()
  })

  it('refuse limits out of range, and what is no builder, before anything happens', async () => {
    const driver = new LoopbackBuilder()
    const connecting = vi.spyOn(driver, 'connect')
    const listening = vi.spyOn(driver, 'listen')
    const code = { code: 'ERR_NETTS_INVALID_ARGUMENT' }
    await expect(connect(driver, address, { maxMessageSize: -1 })).rejects.toMatchObject(code)
    await expect(listen(driver, address, { highWaterMark: -1 })).rejects.toMatchObject(code)
    await expect(connect(driver, address, null as never)).rejects.toMatchObject(code)
    await expect(listen(driver, address, null as never)).rejects.toMatchObject(code)
    for (const builder of [undefined, {}, () => driver]) {
      await expect(connect(builder as never, address)).rejects.toMatchObject(code)
      await expect(listen(builder as never, address)).rejects.toMatchObject(code)
    }
    expect(connecting).not.toHaveBeenCalled()
    expect(listening).not.toHaveBeenCalled()
  })

  it('lose no connection to an aborted accept', async () => {
    const driver = new LoopbackBuilder()
    const server = await listen(driver, address)
    const controller = new AbortController()
    const abandoned = server.accept({ signal: controller.signal })
    controller.abort()
    await expect(abandoned).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    const client = await connect(driver, address)
    const accepted = (await server.accept())!
    await client.send(Buffer.from('here'))
    expect((await accepted.recv())?.toString()).toBe('here')
  })

  it('tell diagnostics channels, which createConnection alone does not', async () => {
    const seen: [string, unknown][] = []
    const onConnect = (message: unknown) => seen.push(['connect', message])
    const onAccept = (message: unknown) => seen.push(['accept', message])
    subscribe(DIAGNOSTICS_CHANNELS.connect, onConnect)
    subscribe(DIAGNOSTICS_CHANNELS.accept, onAccept)
    connectionAndPeer()
    const driver = new LoopbackBuilder()
    const server = await listen(driver, address)
    const client = await connect(driver, address)
    const accepted = await server.accept()
    unsubscribe(DIAGNOSTICS_CHANNELS.connect, onConnect)
    unsubscribe(DIAGNOSTICS_CHANNELS.accept, onAccept)
    expect(seen).toEqual([
      ['connect', { connection: client }],
      ['accept', { connection: accepted }],
    ])
  })
})
