import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createBufferPool, type RecvCompletion, type Transport } from '@netts/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  openListener,
  openPair,
  pattern,
  receive,
  sendAll,
  sleep,
  socketPath,
  until,
} from '../test/support.js'
import { takeBlock } from './blocks.js'
import { tcp } from './index.js'

/** A transport connected to a plain socket of node:net, which reads nothing by itself. */
async function openAgainstPlain(options = {}): Promise<{ transport: Transport; peer: Socket }> {
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const [transport, [peer]] = await Promise.all([
    tcp(options).connect({ host: '127.0.0.1', port }),
    once(server, 'connection') as Promise<[Socket]>,
  ])
  peer.on('error', () => {})
  onTestFinished(() => {
    transport.destroy()
    peer.destroy()
    server.close()
  })
  return { transport, peer }
}

/** Lets the event loop look for what happened. */

/** The next bytes of a plain socket that reads nothing by itself. */
function readSome(peer: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    peer.once('data', (bytes: Buffer) => {
      peer.pause()
      resolve(bytes)
    })
    peer.resume()
  })
}

/** Takes chunks without releasing them. @returns how many bytes were handed out */
function hold(transport: Transport, held: number[]): number {
  const out: RecvCompletion[] = Array.from({ length: 16 }, () => ({ chunkIndex: -1, byteLength: 0 }))
  let total = 0
  for (let count = transport.pollRecv(out); count > 0; count = transport.pollRecv(out)) {
    for (const { chunkIndex, byteLength } of out.slice(0, count)) {
      held.push(chunkIndex)
      total += byteLength
    }
  }
  return total
}

const closed = (transport: Transport) => until(transport, () => transport.pollDisconnect())

for (const [wire, address] of [
  ['TCP', () => ({ host: '127.0.0.1', port: 0 })],
  ['a Unix domain socket', socketPath],
] as const) {
  describe(`over ${wire}`, () => {
    it('carries megabytes both ways at once, byte for byte', async () => {
      const { client, server } = await openPair({}, address())
      const [up, down] = [pattern(5_000_001, 1), pattern(4_999_999, 2)]
      const both = await Promise.all([
        sendAndFinish(client, up, down.byteLength),
        sendAndFinish(server, down, up.byteLength),
      ])
      expect(both[0].equals(down)).toBe(true)
      expect(both[1].equals(up)).toBe(true)
      await Promise.all([closed(client), closed(server)])
      expect([client.error, server.error]).toEqual([undefined, undefined])
    })

    it('goes on receiving after its own finish', async () => {
      const { client, server } = await openPair({}, address())
      client.sendCopy(Buffer.from('question'))
      client.finish()
      client.finish()
      expect(String(await receive(server))).toBe('question')
      expect([server.recvEnded, server.state, client.state]).toEqual([true, 'open', 'finished'])
      server.sendCopy(Buffer.from('answer'))
      server.finish()
      expect(String(await receive(client))).toBe('answer')
      await Promise.all([closed(client), closed(server)])
      expect([client.error, server.error]).toEqual([undefined, undefined])
    })

    it('delivers everything accepted before disconnect, also to a reader that starts late', async () => {
      const { client, server } = await openPair({}, address())
      let sent = 0
      while (sent < 16) if (client.sendCopy(pattern(65_536, sent)) === 65_536) sent++
      client.disconnect()
      await sleep(100)
      const data = await receive(server)
      expect(data.equals(Buffer.concat(Array.from({ length: 16 }, (_, i) => pattern(65_536, i))))).toBe(true)
      server.disconnect()
      await Promise.all([closed(client), closed(server)])
      expect([client.error, server.error]).toEqual([undefined, undefined])
    })

    it('discards input while it disconnects, so that nothing in flight is destroyed', async () => {
      const { client, server } = await openPair({ recvWindow: 65_536 }, address())
      const reply = pattern(1_000_000)
      // The client leaves a megabyte unread, which is more than its window, so that it has stopped reading. Closing at
      // once would reset the connection.
      await sendAll(server, reply)
      await sendAll(client, reply)
      await sleep(30)
      client.disconnect()
      await sendAll(server, reply)
      expect((await receive(server)).equals(reply)).toBe(true)
      server.disconnect()
      await Promise.all([closed(client), closed(server)])
      expect([client.error, server.error]).toEqual([undefined, undefined])
    })
  })
}

async function sendAndFinish(transport: Transport, data: Buffer, expected: number): Promise<Buffer> {
  const received: Buffer[] = []
  const out = [{ chunkIndex: -1, byteLength: 0 }]
  let sent = 0
  let count = 0
  await until(transport, () => {
    for (let taken = 1; sent < data.byteLength && taken > 0; sent += taken) {
      taken = transport.sendCopy(data.subarray(sent))
    }
    if (sent === data.byteLength) transport.finish()
    while (transport.pollRecv(out) === 1) {
      const { chunkIndex, byteLength } = out[0]!
      received.push(Buffer.from(transport.recvBuf(chunkIndex)))
      transport.repostRecv(chunkIndex)
      count += byteLength
    }
    return sent === data.byteLength && count >= expected
  })
  return Buffer.concat(received)
}

describe('destroy', () => {
  it('reaches the peer as a reset, between messages too', async () => {
    const { client, server } = await openPair()
    client.destroy()
    await closed(server)
    expect(server.error).toMatchObject({ code: 'ERR_NETTS_RESET', cause: { code: 'ECONNRESET' } })
    expect(server.recvEnded).toBe(false)
    expect(client.error).toMatchObject({ code: 'ERR_NETTS_DESTROYED' })
  })

  it('reaches the peer as a reset, at the latest when it sends, also while this side is finishing', async () => {
    for (const end of ['finish', 'disconnect'] as const) {
      for (let turns = 0; turns < 4; turns++) {
        const { client, server } = await openPair()
        client.sendCopy(Buffer.from('data'))
        client[end]()
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
        client.destroy()
        // After an end, the kernel tells of a reset only who sends.
        while (!server.pollDisconnect()) {
          server.sendCopy(Buffer.from('more'))
          await sleep(5)
        }
        expect(server.error, `${end}, ${turns} turns`).toMatchObject({ code: 'ERR_NETTS_RESET' })
      }
    }
  })

  it('gives no memory to others that the socket may still read into, also while this side is finishing', async () => {
    const { transport, peer } = await openAgainstPlain()
    const other = await openAgainstPlain()
    // In bulk flow, the socket reads into blocks of its own.
    peer.write(pattern(1_000_000))
    await receive(transport, 1_000_000)
    const blocks: Buffer[] = []
    other.transport.waker = () => {
      transport.finish()
      process.nextTick(() => {
        transport.destroy()
        for (let i = 0; i < 100; i++) blocks.push(takeBlock().fill(0))
      })
    }
    await sleep(20)
    other.peer.write('first')
    peer.write(Buffer.alloc(1000, 1))
    // Both are readable when the event loop looks again.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
    await closed(transport)
    await sleep(20)
    expect(blocks).toHaveLength(100)
    expect(blocks.filter((block) => block.includes(1)).length).toBe(0)
  })

  it('on a Unix domain socket ends the connection without one', async () => {
    const { client, server } = await openPair({}, socketPath())
    expect([client.capabilities.reset, server.capabilities.reset]).toEqual([false, false])
    client.destroy()
    await until(server, () => server.recvEnded)
    expect(server.error).toBeUndefined()
  })

  it('keeps the first error, and chunks that were handed out', async () => {
    const { client, server } = await openPair()
    server.sendCopy(Buffer.from('kept'))
    const held: number[] = []
    await until(client, () => hold(client, held) > 0)
    client.destroy()
    const { error } = client
    client.destroy()
    expect(client.error).toBe(error)
    expect(String(client.recvBuf(held[0]!))).toBe('kept')
    client.repostRecv(held[0]!)
    expect(() => client.repostRecv(held[0]!)).toThrow(
      expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }),
    )
  })

  it('returns buffers that were not sent to their pool', async () => {
    const bufferPool = createBufferPool()
    const { transport } = await openAgainstPlain({ bufferPool, sendDepth: 16 })
    await until(transport, () => {
      for (;;) {
        const buffer = bufferPool.alloc(65_536)
        if (!transport.sendBuffer(buffer)) {
          buffer.release()
          return transport.sendsInFlight === 16
        }
        transport.pollSendCompletion()
      }
    })
    expect(bufferPool.stats.outstanding).toBe(16)
    transport.destroy()
    expect(bufferPool.stats.outstanding).toBe(0)
    expect(transport.sendsInFlight).toBe(0)
  })
})

describe('sending', () => {
  it('is misuse after finish, disconnect or destroy', async () => {
    for (const end of ['finish', 'disconnect', 'destroy'] as const) {
      const { client } = await openPair()
      const buffer = client.bufferPool.alloc(10)
      client[end]()
      for (const send of [
        () => client.sendCopy(Buffer.from('late')),
        () => client.sendGather([Buffer.from('late')]),
        () => client.sendBuffer(buffer),
      ]) {
        expect(send).toThrow(expect.objectContaining({ code: 'ERR_NETTS_INVALID_STATE' }))
      }
      buffer.release()
    }
  })

  it('is refused, not an error, once the peer reset the connection', async () => {
    const { client, server } = await openPair()
    server.destroy()
    await closed(client)
    expect(client.sendCopy(Buffer.from('late'))).toBe(0)
    const buffer = client.bufferPool.alloc(10)
    expect(client.sendBuffer(buffer)).toBe(false)
    buffer.release()
  })

  it('refuses what is empty or not bytes', async () => {
    const { client } = await openPair()
    for (const send of [
      () => client.sendCopy(Buffer.alloc(0)),
      () => client.sendCopy('text' as never),
      () => client.sendGather(undefined as never),
      () => client.sendGather([]),
      () => client.sendGather([Buffer.alloc(0)]),
      () => client.sendGather(['text' as never]),
      () => client.sendBuffer(Buffer.from('unpooled') as never),
    ]) {
      expect(send).toThrow(expect.objectContaining({ code: 'ERR_NETTS_INVALID_ARGUMENT' }))
    }
  })

  it('starts with the first send of a tick, and the rest of the tick leaves in one write', async () => {
    const { transport, peer } = await openAgainstPlain()
    const chunks: Buffer[] = []
    peer.on('data', (chunk: Buffer) => chunks.push(chunk))
    peer.resume()
    const buffer = transport.bufferPool.alloc(3)
    buffer.bytes.set(Buffer.from('two'))
    transport.sendCopy(Buffer.from('one'))
    transport.sendBuffer(buffer)
    transport.sendGather([Buffer.from('th'), Buffer.from('ree')])
    await until(transport, () => transport.pollSendCompletion() > 0)
    expect(transport.sendsInFlight).toBe(2)
    await until(transport, () => transport.pollSendCompletion() === 2)
    await sleep(20)
    // Two writes, which the peer may read in one go.
    expect(chunks.map(String).join()).toMatch(/^one,?twothree$/)
  })

  it('waits for the rest of a tick that starts with a large send, and all of it leaves in one write', async () => {
    const { transport, peer } = await openAgainstPlain()
    const parts = [pattern(65_536), pattern(64 * 1024, 1), pattern(10, 2)]
    for (const part of parts) expect(transport.sendCopy(part)).toBe(part.byteLength)
    transport.finish()
    let completed = 0
    await until(transport, () => {
      completed = transport.pollSendCompletion()
      return completed > 0
    })
    expect(completed).toBe(3)
    const received: Buffer[] = []
    for await (const chunk of peer as AsyncIterable<Buffer>) received.push(chunk)
    expect(Buffer.concat(received).equals(Buffer.concat(parts))).toBe(true)
  })

  it('stops at its depth while the peer does not read, and goes on by the waker', async () => {
    const { transport, peer } = await openAgainstPlain({ sendDepth: 4 })
    const data = pattern(65_536)
    let sent = 0
    let quiet = 0
    // The kernel's buffers grow for a while before they are full.
    while (quiet < 5) {
      const before = sent
      while (transport.sendCopy(data) > 0) sent++
      quiet = sent === before ? quiet + 1 : 0
      await sleep(20)
    }
    transport.pollSendCompletion()
    expect(transport.sendsInFlight).toBeLessThanOrEqual(4)
    let received = 0
    peer.on('data', (chunk: Buffer) => {
      received += chunk.byteLength
    })
    peer.resume()
    await until(transport, () => transport.sendCopy(Buffer.from('!')) === 1)
    transport.finish()
    await once(peer, 'end')
    expect(received).toBe(sent * data.byteLength + 1)
  })
})

describe('receiving', () => {
  it('stops at the window while chunks are held, and goes on when one is released', async () => {
    const recvWindow = 256 * 1024
    const { client, server } = await openPair({ recvWindow })
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const data = pattern(8 * 1024 * 1024)
      const sending = sendAll(from, data)
      const held: number[] = []
      let handedOut = 0
      await until(to, () => {
        handedOut += hold(to, held)
        return handedOut >= recvWindow
      })
      await sleep(100)
      handedOut += hold(to, held)
      // A chunk that was under way when the window was full still comes.
      expect(handedOut).toBeLessThan(recvWindow + 3 * 65_536)
      const first = held.shift()!
      const more: number[] = []
      handedOut -= to.recvBuf(first).byteLength
      for (const chunkIndex of [first, ...held]) to.repostRecv(chunkIndex)
      await until(to, () => hold(to, more) > 0)
      for (const chunkIndex of more) to.repostRecv(chunkIndex)
      to.waker = undefined
      const drained = until(to, () => {
        const rest: number[] = []
        hold(to, rest)
        for (const chunkIndex of rest) to.repostRecv(chunkIndex)
        return false
      })
      await sending
      to.waker = undefined
      void drained
    }
  })

  it('holds a bounded number of chunks from a peer that sends single bytes', async () => {
    const recvWindow = 64 * 1024
    const { transport, peer } = await openAgainstPlain({ recvWindow })
    peer.setNoDelay(true)
    const held: number[] = []
    let sent = 0
    const timer = setInterval(() => {
      for (let i = 0; i < 8; i++) {
        peer.write('x')
        sent++
      }
    }, 1)
    const limit = recvWindow / 256
    const waiting = until(transport, () => {
      hold(transport, held)
      return held.length >= limit
    })
    await waiting
    await sleep(50)
    hold(transport, held)
    clearInterval(timer)
    expect(held.length).toBe(limit)
    expect(sent).toBeGreaterThan(limit)
  })

  it('keeps chunks apart and intact whatever the order of release', async () => {
    const { client, server } = await openPair()
    const data = pattern(3_000_000)
    const sending = sendAll(server, data)
    const held: { chunkIndex: number; position: number }[] = []
    const out = [{ chunkIndex: -1, byteLength: 0 }]
    let position = 0
    let released = 0
    const release = (index: number) => {
      const [{ chunkIndex, position }] = held.splice(index, 1) as [(typeof held)[0]]
      const bytes = client.recvBuf(chunkIndex)
      expect(data.compare(bytes, 0, bytes.byteLength, position, position + bytes.byteLength)).toBe(0)
      client.repostRecv(chunkIndex)
      released++
    }
    await until(client, () => {
      while (client.pollRecv(out) === 1) {
        held.push({ chunkIndex: out[0]!.chunkIndex, position })
        position += out[0]!.byteLength
        if (held.length > 6) release(released % held.length)
      }
      return position === data.byteLength
    })
    while (held.length > 0) release(held.length - 1)
    await sending
  })

  it('reports what arrived before a reset first', async () => {
    const { transport, peer } = await openAgainstPlain()
    peer.write('before')
    await sleep(50)
    peer.resetAndDestroy()
    await closed(transport)
    const held: number[] = []
    expect(hold(transport, held)).toBe(6)
    expect(String(transport.recvBuf(held[0]!))).toBe('before')
    expect(transport.error).toMatchObject({ code: 'ERR_NETTS_RESET' })
  })
})

describe('disconnect', () => {
  it('is done at once when the peer never says its end, and gives up waiting for it after its deadline', async () => {
    const { transport, peer } = await openAgainstPlain()
    transport.sendCopy(Buffer.from('last words'))
    transport.disconnect({ timeoutMs: 300 })
    transport.disconnect()
    expect(transport.state).toBe('disconnecting')
    await closed(transport)
    expect(transport.error).toBeUndefined()
    // What the peer still says is taken, until the wait is over: a reset now would cost it what it has not read.
    for (let n = 0; n < 5; n++) {
      peer.write('more')
      await sleep(10)
    }
    const received: Buffer[] = []
    peer.on('data', (chunk: Buffer) => received.push(chunk))
    peer.resume()
    await once(peer, 'end')
    expect(String(Buffer.concat(received))).toBe('last words')
    await sleep(400)
    const lost = once(peer, 'error')
    peer.write('too late')
    await sleep(10)
    peer.write('too late')
    await lost
  }, 15_000)

  it('fails when the peer takes nothing for 5 s of what was accepted', async () => {
    const { transport } = await openAgainstPlain()
    let quiet = 0
    while (quiet < 5) {
      quiet = transport.sendCopy(pattern(65_536)) > 0 ? 0 : quiet + 1
      if (quiet > 0) await sleep(20)
    }
    transport.disconnect()
    await closed(transport)
    expect(transport.error).toMatchObject({ code: 'ERR_NETTS_TIMEOUT', operation: 'disconnect' })
  }, 15_000)

  it('waits for a peer that takes it slowly, however much is written at once', async () => {
    const byteLength = 2 ** 25
    const bufferPool = createBufferPool({ classes: [{ byteLength, count: 1 }] })
    const { transport, peer } = await openAgainstPlain({ bufferPool, maxSendSize: byteLength })
    expect(transport.sendBuffer(bufferPool.alloc(byteLength))).toBe(true)
    transport.disconnect({ timeoutMs: 500 })
    let received = 0
    for (let share = 1; share <= 8; share++) {
      await sleep(200)
      while (received < (byteLength * share) / 8) received += (await readSome(peer)).byteLength
    }
    peer.end()
    peer.resume()
    await closed(transport)
    expect(transport.error).toBeUndefined()
  }, 15_000)

  it('has no effect on a closed transport', async () => {
    const { client, server } = await openPair()
    client.destroy()
    client.disconnect()
    client.finish()
    expect(client.state).toBe('closed')
    await closed(server)
  })
})

it('calls the waker from no method, once for many causes, and for what happened before it was set', async () => {
  const { client, server } = await openPair()
  let calls = 0
  let inside = false
  client.waker = () => {
    expect(inside).toBe(false)
    calls++
  }
  server.sendCopy(Buffer.from('data'))
  await sleep(50)
  expect(calls).toBeGreaterThan(0)
  client.waker = undefined
  server.sendCopy(Buffer.from('more'))
  await sleep(50)
  await new Promise<void>((resolve) => {
    client.waker = () => {
      expect(inside).toBe(false)
      resolve()
    }
    inside = true
    client.sendCopy(Buffer.from('x'))
    client.destroy()
    inside = false
  })
})

it('is reported as reset or truncated, never as a hang, when the peer is killed', async () => {
  const listener = await openListener()
  const program = `
    const socket = require('node:net').connect(${JSON.stringify(listener.address)}, () => {
      socket.write('half a mess')
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50)
    })`
  const { spawn } = await import('node:child_process')
  spawn(process.execPath, ['-e', program], { stdio: 'inherit' })
  const server = (await listener.accept())!
  expect(String(await receive(server))).toBe('half a mess')
  expect(server.recvEnded || server.error?.code === 'ERR_NETTS_RESET').toBe(true)
  server.destroy()
})
