/** How a connection under TLS ends: cleanly only where TLS says so, whatever the wire does. */
import { connect as connectTls } from 'node:tls'
import { tcp } from '@netts/tcp'
import { afterEach, describe, expect, it } from 'vitest'
import { tls } from '../src/index.js'
import { Authority } from './certificates.js'
import { ANYWHERE, closed, type Middle, middle, receive, send, until } from './support.js'

const authority = new Authority('netts test authority')
const ca = authority.cert
const server = authority.issue({ name: 'server', altNames: 'IP:127.0.0.1' })

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A client and an accepted end, with a wire in the middle. */
async function throughMiddle() {
  const listener = await tls(tcp(), server).listen(ANYWHERE)
  const wire = await middle(listener.address)
  const [near, far] = await Promise.all([tls(tcp(), { ca }).connect(wire.address), listener.accept()])
  closing.push(async () => {
    near.destroy()
    far!.destroy()
    await wire.close()
    await listener.close()
  })
  return { near, far: far!, wire }
}

/** Ends the wire towards both sides, as if both had meant to. */
function endWire({ links }: Middle): void {
  for (const socket of links[0]!) socket.end()
}

describe('truncation', () => {
  it('of an idle connection is an error on both sides', async () => {
    const { near, far, wire } = await throughMiddle()
    endWire(wire)
    for (const transport of [near, far]) {
      expect(await closed(transport)).toMatchObject({
        code: 'ERR_NETTS_RESET',
        message: expect.stringMatching(/close_notify/),
      })
      expect(transport.recvEnded).toBe(false)
    }
  })

  it('behind data is an error, and the data can be read', async () => {
    const { near, far, wire } = await throughMiddle()
    const text = 'pay 100'
    await send(near, Buffer.from(text))
    await until(near, () => near.queuedBytes === 0 || near.pollSendCompletion() > 0)
    const read = await receive(far, text.length)
    endWire(wire)
    expect(String(read)).toBe(text)
    expect((await closed(far))?.code).toBe('ERR_NETTS_RESET')
  })

  it('behind data that nobody has polled is an error, and the data can be read', async () => {
    const { near, far, wire } = await throughMiddle()
    const isThere = new Promise<void>((resolve) => {
      far.waker = resolve
    })
    await send(near, Buffer.alloc(5000, 1))
    await isThere
    endWire(wire)
    await until(far, () => far.pollDisconnect())
    expect(far.error?.code).toBe('ERR_NETTS_RESET')
    expect(far.recvEnded).toBe(false)
    expect(await receive(far, 5000)).toEqual(Buffer.alloc(5000, 1))
  })

  it('in the middle of a record is an error, and nothing of that record is read', async () => {
    const { near, far, wire } = await throughMiddle()
    let passed = 0
    wire.change = (bytes, from) => {
      if (from !== 'client') return bytes
      const part = bytes.subarray(0, Math.max(0, 1000 - passed))
      passed += part.length
      return part
    }
    await send(near, Buffer.alloc(10_000, 1))
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (passed < 1000) return
        clearInterval(timer)
        resolve()
      }, 5)
    })
    endWire(wire)
    expect((await receive(far)).length).toBe(0)
    expect(far.error?.code).toBe('ERR_NETTS_RESET')
  })

  it('of a reset wire is an error', async () => {
    const { near, far, wire } = await throughMiddle()
    for (const socket of wire.links[0]!) socket.resetAndDestroy()
    expect((await closed(near))?.code).toBe('ERR_NETTS_RESET')
    expect((await closed(far))?.code).toBe('ERR_NETTS_RESET')
  })
})

it('a changed byte is an error, and never other data', async () => {
  const { near, far, wire } = await throughMiddle()
  let hasChanged = false
  wire.change = (bytes, from) => {
    if (from !== 'client' || hasChanged || bytes.length < 50) return bytes
    hasChanged = true
    const changed = Buffer.from(bytes)
    changed[40]! ^= 1
    return changed
  }
  await send(near, Buffer.from('pay 100 to Alice, and nothing to anybody else'))
  expect((await receive(far)).length).toBe(0)
  expect(far.error).toMatchObject({
    code: 'ERR_NETTS_TLS',
    cause: { code: expect.stringMatching(/^ERR_SSL_/) },
  })
  // The alert says so to the other side.
  expect((await closed(near))?.code).toBe('ERR_NETTS_TLS')
})

describe('a clean end', () => {
  it('is clean where the wire ends in the same moment as TLS', async () => {
    for (let round = 0; round < 20; round++) {
      const { near, far } = await throughMiddle()
      await send(near, Buffer.alloc(round * 3000 + 1, round))
      near.disconnect()
      expect((await receive(far)).length).toBe(round * 3000 + 1)
      expect(far.recvEnded).toBe(true)
      far.disconnect()
      expect(await closed(far)).toBeUndefined()
      expect(await closed(near)).toBeUndefined()
    }
  })

  it('is clean whatever sides finish, disconnect, and in which order', async () => {
    const steps = ['finish', 'disconnect'] as const
    for (const first of steps) {
      for (const second of steps) {
        for (const swap of [false, true]) {
          const { near, far } = await throughMiddle()
          const [one, two] = swap ? [far, near] : [near, far]
          await send(one, Buffer.from('one'))
          await send(two, Buffer.from('two'))
          one[first]()
          expect(String(await receive(two))).toBe('one')
          expect(two.recvEnded).toBe(true)
          two[second]()
          if (first === 'finish') expect(String(await receive(one))).toBe('two')
          expect(await closed(one)).toBeUndefined()
          expect(await closed(two)).toBeUndefined()
        }
      }
    }
  })

  it('is clean towards a plain client of node:tls that ends, and one that half-closes', async () => {
    const listener = await tls(tcp(), server).listen(ANYWHERE)
    closing.push(() => listener.close())
    for (const allowHalfOpen of [false, true]) {
      const plain = connectTls({ ...(listener.address as typeof ANYWHERE), ca, allowHalfOpen } as object)
      plain.on('error', () => {})
      const far = (await listener.accept())!
      plain.end('bye')
      expect(String(await receive(far))).toBe('bye')
      expect(far.recvEnded).toBe(true)
      far.disconnect()
      expect(await closed(far)).toBeUndefined()
      plain.destroy()
    }
  })
})

it('a plain client of node:tls that is destroyed is an error', async () => {
  const listener = await tls(tcp(), server).listen(ANYWHERE)
  closing.push(() => listener.close())
  const plain = connectTls({ ...(listener.address as typeof ANYWHERE), ca })
  const far = (await listener.accept())!
  plain.write('half of')
  expect(String(await receive(far, 7))).toBe('half of')
  plain.destroy()
  expect((await closed(far))?.code).toBe('ERR_NETTS_RESET')
})
