import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { Address, TransportListener } from '@netts/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { LOOPBACK, openListener, receive, sendAll, sleep, socketPath, until } from '../test/support.js'
import { tcp } from './index.js'

/** A plain client of node:net. */
interface PlainClient {
  readonly socket: Socket
  /** An errno, `end`, or `open` while it did not end. */
  ended(): string
  readonly closed: Promise<void>
}

function plainClient(listener: TransportListener): PlainClient {
  const socket = connect(listener.address as never)
  let ended = 'open'
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended = error.code ?? error.message
  })
  socket.on('end', () => {
    ended = 'end'
  })
  socket.resume()
  onTestFinished(() => void socket.destroy())
  return {
    socket,
    ended: () => ended,
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
  }
}

describe('listening fails with what to do about it', () => {
  it('when the port is in use', async () => {
    const { address } = await openListener()
    await expect(tcp().listen(address)).rejects.toMatchObject({
      code: 'ERR_NETTS_LISTEN_FAILED',
      message: expect.stringMatching(/something listens there already; .*EADDRINUSE/),
      operation: 'listen',
      address,
      cause: { code: 'EADDRINUSE' },
    })
  })

  it('when the address is of another machine', async () => {
    // 192.0.2.0/24 is reserved for documentation (RFC 5737).
    await expect(tcp().listen({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      code: 'ERR_NETTS_LISTEN_FAILED',
      message: expect.stringContaining('no interface of this machine has that address'),
    })
  })

  it('when the path exists already', async () => {
    const address = socketPath()
    writeFileSync(address.path, '')
    await expect(tcp().listen(address)).rejects.toMatchObject({
      code: 'ERR_NETTS_LISTEN_FAILED',
      message: expect.stringContaining('the path exists'),
    })
  })

  it('when the directory does not exist', async () => {
    await expect(tcp().listen({ path: `${socketPath().path}/below/socket` })).rejects.toMatchObject({
      code: 'ERR_NETTS_LISTEN_FAILED',
    })
  })

  it('when the address has the wrong shape or the backlog is out of range', async () => {
    for (const address of [null, 'localhost', { host: '127.0.0.1' }, { host: '', port: 0 }, { path: '' }]) {
      await expect(tcp().listen(address as unknown as Address)).rejects.toMatchObject({
        code: 'ERR_NETTS_INVALID_ARGUMENT',
      })
    }
    for (const backlog of [0, -1, 65_536, 1.5, '1' as never]) {
      await expect(tcp().listen(LOOPBACK, { backlog })).rejects.toMatchObject({
        code: 'ERR_NETTS_INVALID_ARGUMENT',
      })
    }
  })
})

describe('a listener', () => {
  it('resets connections beyond the backlog, and takes new ones when there is room again', async () => {
    const listener = await openListener({ backlog: 2 })
    const clients = []
    for (let i = 0; i < 3; i++) {
      const client = plainClient(listener)
      await Promise.race([client.closed, once(client.socket, 'connect').catch(() => {})])
      clients.push(client)
    }
    await clients[2]!.closed
    expect(clients.map(({ ended }) => ended())).toEqual(['open', 'open', 'ECONNRESET'])
    for (let i = 0; i < 2; i++) (await listener.accept())?.destroy()
    const next = plainClient(listener)
    const accepted = await listener.accept()
    expect(accepted?.remoteAddress).toEqual({ host: '127.0.0.1', port: next.socket.localPort })
    accepted?.destroy()
  })

  it('resets connections beyond maxConnections, until one of those is closed', async () => {
    const listener = await openListener({ maxConnections: 1 })
    const first = plainClient(listener)
    const accepted = await listener.accept()
    const second = plainClient(listener)
    await second.closed
    expect([first.ended(), second.ended()]).toEqual(['open', 'ECONNRESET'])
    accepted?.disconnect()
    await first.closed
    await sleep(20)
    plainClient(listener)
    const third = await listener.accept()
    expect(third?.state).toBe('open')
    third?.destroy()
  })

  it('reads nothing of a connection before it is accepted', async () => {
    const listener = await openListener()
    const { socket } = plainClient(listener)
    await once(socket, 'connect')
    let written = 0
    // More than the kernel buffers hold.
    const data = Buffer.alloc(1024 * 1024)
    while (socket.write(data) || written < 32) written++
    await sleep(200)
    expect(socket.writableLength).toBeGreaterThan(0)
    const server = await listener.accept()
    await receive(server!, data.byteLength * 32)
    server?.destroy()
  })

  it('destroys what waits when it closes, and leaves accepted connections alone', async () => {
    const listener = await openListener()
    const client = await tcp().connect(listener.address)
    const server = await listener.accept()
    const waiting = await tcp().connect(listener.address)
    await sleep(20)
    const pending = [listener.accept().then(() => 'other'), listener.accept()]
    expect(await pending[0]).toBe('other')
    await listener.close()
    await listener.close()
    expect(await pending[1]).toBeUndefined()
    expect(await listener.accept()).toBeUndefined()
    await sendAll(client, Buffer.from('still here'))
    expect(String(await receive(server!, 10))).toBe('still here')
    for (const transport of [client, server!, waiting]) transport.destroy()
  })

  it('resets connections that nobody accepted when it closes', async () => {
    const listener = await openListener()
    const { socket, ended, closed } = plainClient(listener)
    await once(socket, 'connect')
    await sleep(20)
    await listener.close()
    await closed
    expect(ended()).toBe('ECONNRESET')
  })

  it('frees its port and its path at once when it closes', async () => {
    for (const asked of [LOOPBACK, socketPath()]) {
      const listener = await tcp().listen(asked)
      const { address } = listener
      await listener.close()
      if ('path' in address) expect(existsSync(address.path)).toBe(false)
      await (await tcp().listen(address)).close()
    }
  })

  it('ends its iteration when it closes', async () => {
    const listener = await openListener()
    const client = await tcp().connect(listener.address)
    const seen = []
    for await (const transport of listener) {
      seen.push(transport.remoteAddress)
      transport.destroy()
      await listener.close()
    }
    expect(seen).toEqual([client.localAddress])
    await until(client, () => client.pollDisconnect())
  })

  it('hands out a connection whose client is gone already, with what it had sent', async () => {
    const listener = await openListener()
    const { socket } = plainClient(listener)
    socket.end('bye')
    await sleep(50)
    const server = await listener.accept()
    expect(String(await receive(server!))).toBe('bye')
    expect(server!.recvEnded).toBe(true)
    server!.destroy()
  })
})
