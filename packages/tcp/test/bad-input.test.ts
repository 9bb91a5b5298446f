/** What a listener makes of peers that break every rule: a typed error on that connection, and nothing else. */
import { spawn } from 'node:child_process'
import { connect as connectSocket, type Socket } from 'node:net'
import { type Connection, type ConnectionListener, connect, type HostAddress, listen } from '@netts/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { tcp } from '../src/index.js'
import { startEchoWithFewFiles } from './processes.js'
import { LOOPBACK, pattern, sleep } from './support.js'

let listener: ConnectionListener
/** A well-behaved connection beside the hostile ones; both ends. */
let bystander: Connection
let bystanderServer: Connection

beforeEach(async () => {
  listener = await listen(tcp(), LOOPBACK, { maxMessageSize: 1024 * 1024, messageTimeoutMs: 300 })
  bystander = await connect(tcp(), listener.address)
  bystanderServer = (await listener.accept())!
})

afterEach(async () => {
  // Whatever happened: every other connection is untouched.
  expect(await echoes(bystander, bystanderServer)).toBe(true)
  bystander.destroy()
  bystanderServer.destroy()
  await listener.close()
})

async function echoes(client: Connection, server: Connection): Promise<boolean> {
  const message = pattern(10_000)
  await client.send(message)
  await server.send((await server.recv())!)
  return (await client.recv())!.equals(message)
}

/** A hostile client: a plain socket, and the connection that the listener made of it. */
async function attack(): Promise<{ socket: Socket; victim: Connection }> {
  const { host, port } = listener.address as HostAddress
  const socket = connectSocket({ host, port, noDelay: true })
  socket.on('error', () => {})
  socket.resume()
  return { socket, victim: (await listener.accept())! }
}

function header(byteLength: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(byteLength)
  return bytes
}

it('a frame larger than maxMessageSize is a protocol error, and nothing is allocated for it', async () => {
  for (const byteLength of [1024 * 1024 + 1, 2 ** 31, 2 ** 32 - 1]) {
    const { socket, victim } = await attack()
    const before = process.memoryUsage()
    socket.write(Buffer.concat([header(byteLength), pattern(1000)]))
    await expect(victim.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_PROTOCOL' })
    expect(await victim.closed).toMatchObject({ code: 'ERR_NETTS_PROTOCOL' })
    const { external, arrayBuffers } = process.memoryUsage()
    expect(external + arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(16 * 1024 * 1024)
    socket.destroy()
  }
})

it('messages before the bad frame are delivered', async () => {
  const { socket, victim } = await attack()
  socket.write(Buffer.concat([header(2), Buffer.from('ok'), header(2 ** 32 - 1)]))
  expect(String(await victim.recv())).toBe('ok')
  await expect(victim.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_PROTOCOL' })
  socket.destroy()
})

it('a frame cut short by the end is truncated, whether in its header or in its payload', async () => {
  for (const sent of [header(100).subarray(0, 3), header(100), Buffer.concat([header(100), pattern(99)])]) {
    const { socket, victim } = await attack()
    socket.end(sent)
    await expect(victim.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_TRUNCATED' })
    expect(await victim.closed).toMatchObject({ code: 'ERR_NETTS_TRUNCATED' })
  }
})

it('a frame cut short by a reset is a reset', async () => {
  const { socket, victim } = await attack()
  socket.write(Buffer.concat([header(100), pattern(99)]))
  await sleep(50)
  socket.resetAndDestroy()
  await expect(victim.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
})

it('half a header, and then nothing, ends at the deadline', async () => {
  const { socket, victim } = await attack()
  socket.write(header(100).subarray(0, 2))
  await expect(victim.recv()).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
  expect(await victim.closed).toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
  socket.destroy()
})

it('a peer that says nothing at all may do so for as long as it likes', async () => {
  const { socket, victim } = await attack()
  await sleep(600)
  socket.write(Buffer.concat([header(4), Buffer.from('late')]))
  expect(String(await victim.recv())).toBe('late')
  socket.destroy()
})

it('messages of no length are messages, and not the end', async () => {
  const { socket, victim } = await attack()
  socket.end(Buffer.concat([header(0), header(0), header(1), Buffer.from('x'), header(0)]))
  const received: (string | undefined)[] = []
  for (let i = 0; i < 5; i++) received.push((await victim.recv())?.toString())
  expect(received).toEqual(['', '', 'x', '', undefined])
  await victim.close()
  expect(await victim.closed).toBeUndefined()
})

it('a byte at a time is as good as any other chunk', async () => {
  const { socket, victim } = await attack()
  for (const byte of Buffer.concat([
    header(3),
    Buffer.from('abc'),
    header(0),
    header(2),
    Buffer.from('de'),
  ])) {
    socket.write(Buffer.of(byte))
    await sleep(2)
  }
  expect([String(await victim.recv()), String(await victim.recv()), String(await victim.recv())]).toEqual([
    'abc',
    '',
    'de',
  ])
  socket.destroy()
})

it('garbage of any length and end is a typed error or a clean end', async () => {
  const allowed = [
    undefined,
    'ERR_NETTS_PROTOCOL',
    'ERR_NETTS_TRUNCATED',
    'ERR_NETTS_RESET',
    'ERR_NETTS_TIMEOUT',
  ]
  const seen = new Set<string | undefined>()
  const random = pattern(400, Date.now() & 0xffff)
  for (let round = 0; round < 100; round++) {
    const { socket, victim } = await attack()
    const bytes = pattern(1 + random[round]! * 16, random.readUInt16LE(round))
    // Every other time, a plausible length first.
    if (round % 2 === 0 && bytes.byteLength >= 2) bytes.writeUInt16BE(0, 0)
    socket.write(bytes)
    if (round % 3 === 0) socket.resetAndDestroy()
    else socket.end()
    try {
      for await (const message of victim) expect(message.byteLength).toBeLessThanOrEqual(1024 * 1024)
    } catch (error) {
      expect(error).toMatchObject({ name: 'NettsError' })
    }
    await victim.close()
    const error = await victim.closed
    expect(allowed).toContain(error?.code)
    seen.add(error?.code)
  }
  expect(seen.size).toBeGreaterThan(1)
})

it('a peer killed in mid-message is truncated or reset', async () => {
  const { host, port } = listener.address as HostAddress
  const program = `
    const socket = require('node:net').connect(${port}, '${host}', () => {
      socket.write(Buffer.concat([Buffer.from([0, 0, 1, 0]), Buffer.alloc(100)]), () => {
        process.kill(process.pid, 'SIGKILL')
      })
    })`
  spawn(process.execPath, ['-e', program], { stdio: 'inherit' })
  const victim = (await listener.accept())!
  await expect(victim.recv()).rejects.toMatchObject({
    code: expect.stringMatching(/^ERR_NETTS_(TRUNCATED|RESET)$/),
  })
})

it('a peer that never reads holds its own connection up, and no other', async () => {
  const { socket, victim } = await attack()
  socket.pause()
  let accepted = 0
  while (victim.trySend(pattern(65_536))) accepted++
  await sleep(100)
  while (victim.trySend(pattern(65_536))) accepted++
  expect(accepted).toBeGreaterThan(0)
  expect(await echoes(bystander, bystanderServer)).toBe(true)
  victim.destroy()
  socket.destroy()
})

it('sends after finish, close or destroy are refused', async () => {
  for (const end of ['finish', 'close', 'destroy'] as const) {
    const { socket, victim } = await attack()
    socket.on('end', () => socket.end())
    const ended = victim[end]()
    const expected = expect.objectContaining({
      code: end === 'destroy' ? 'ERR_NETTS_DESTROYED' : 'ERR_NETTS_CLOSED',
    })
    await expect(victim.send(Buffer.from('late'))).rejects.toThrow(expected)
    expect(() => victim.trySend(Buffer.from('late'))).toThrow(expected)
    await ended
    socket.destroy()
    victim.destroy()
  }
})

it('10 000 connections opened and dropped, 500 at a time, leave nothing behind', async () => {
  const { host, port } = listener.address as HostAddress
  const handles = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length
  const before = handles()
  let accepted = 0
  const accepting = (async () => {
    for await (const connection of listener) {
      accepted++
      connection.closed.then(() => connection.close())
      connection.recv().then(
        () => connection.close(),
        () => {},
      )
    }
  })()
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      Array.from(
        { length: 500 },
        (_, i) =>
          new Promise<void>((resolve) => {
            const socket = connectSocket({ host, port })
            socket.on('error', () => {})
            socket.once('close', () => resolve())
            socket.once('connect', () => {
              if (i % 3 === 0) socket.resetAndDestroy()
              else if (i % 3 === 1) socket.destroy()
              else socket.end(header(100))
            })
            socket.resume()
          }),
      ),
    )
  }
  for (let i = 0; i < 100 && handles() > before; i++) await sleep(50)
  expect(handles()).toBeLessThanOrEqual(before)
  // Some were gone before they could be accepted.
  expect(accepted).toBeGreaterThan(5_000)
  await listener.close()
  await accepting
}, 60_000)

it('more connections than the process has files for cost it nothing but those', async () => {
  // Enough to load the program, and fewer than the connections to come.
  const { address, close } = await startEchoWithFewFiles(300)
  try {
    const { host, port } = address as HostAddress
    const sockets = Array.from({ length: 400 }, () =>
      connectSocket({ host, port })
        .on('error', () => {})
        .resume(),
    )
    let dropped = 0
    for (const socket of sockets) socket.once('close', () => dropped++)
    for (const socket of sockets) socket.on('end', () => socket.destroy())
    for (let i = 0; i < 100 && dropped === 0; i++) await sleep(20)
    expect(dropped).toBeGreaterThan(0)
    for (const socket of sockets) socket.destroy()
    await sleep(100)
    const connection = await connect(tcp(), address)
    await connection.send(Buffer.from('still there'))
    expect(String(await connection.recv())).toBe('still there')
    connection.destroy()
  } finally {
    await close()
  }
})
