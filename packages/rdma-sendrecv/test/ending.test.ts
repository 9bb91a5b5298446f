/** How transports end: when a disconnect is done, what goes on behind it, and what is thrown on the way. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openCounts } from '@netts/rdma-suite/open-counts'
import {
  forEachSeed,
  type SimulatedFabric,
  type SimulatedHost,
  type SimulationMode,
} from '@netts/verbs/simulated'
import { describe, expect, it, vi } from 'vitest'
import { type SendRecvOptions, type SendRecvTransport, sendRecvOver } from '../src/index.js'

const MODES: readonly SimulationMode[] = ['roce', 'iwarp']

interface Pair {
  readonly client: SimulatedHost
  readonly server: SimulatedHost
  readonly near: SendRecvTransport
  readonly far: SendRecvTransport
}

async function connect(fabric: SimulatedFabric, options: SendRecvOptions = {}): Promise<Pair> {
  const [client, server] = [fabric.createHost({ name: 'client' }), fabric.createHost({ name: 'server' })]
  const listener = await sendRecvOver({ ...options, verbs: server }).listen({ host: server.address, port: 0 })
  const near = await sendRecvOver({ ...options, verbs: client }).connect(listener.address)
  const far = (await listener.accept())!
  await listener.close()
  return { client, server, near, far }
}

async function until(transport: SendRecvTransport, condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      transport.waker = resolve
    })
  }
}

const closed = (transport: SendRecvTransport) => until(transport, () => transport.pollDisconnect())
const pause = ({ clock }: SimulatedHost, ms: number) =>
  new Promise<void>((resolve) => clock.setTimer(resolve, ms))

const out = [{ chunkIndex: -1, byteLength: -1 }]

/** Takes everything up to the peer's end. @returns how many bytes that was */
async function receiveToEnd(transport: SendRecvTransport): Promise<number> {
  let received = 0
  for (;;) {
    await until(transport, () => {
      while (transport.pollRecv(out) > 0) {
        received += out[0]!.byteLength
        transport.repostRecv(out[0]!.chunkIndex)
      }
      return transport.recvEnded || transport.pollDisconnect()
    })
    if (transport.recvEnded) return received
    throw transport.error
  }
}

function open(host: SimulatedHost): number {
  return Object.values(openCounts(host.name, host)).reduce((sum, count) => sum + count, 0)
}

async function nothingOpen(host: SimulatedHost): Promise<void> {
  for (let tries = 0; open(host) > 0; tries++) {
    expect(tries).toBeLessThan(50)
    await pause(host, 200)
  }
}

describe.each(MODES)('a disconnect on simulated %s', (mode) => {
  it.each(['open', 'finished'] as const)(
    'is done when the peer has everything, whatever the peer does, when it was %s before',
    async (before) => {
      await forEachSeed({ mode, count: 12 }, async (fabric) => {
        const { client, server, near, far } = await connect(fabric)
        expect(near.sendCopy(new Uint8Array(1000))).toBe(1000)
        if (before === 'finished') {
          near.finish()
          await until(far, () => far.pollRecv([]) === 0 && far.pollRecv(out) === 1)
        }
        const started = fabric.nowMs
        // No deadline: it must not need one.
        near.disconnect({ timeoutMs: 0 })
        expect(near.state).toBe(before === 'finished' && mode === 'roce' ? near.state : 'disconnecting')
        await closed(near)
        expect(near.error).toBeUndefined()
        // Virtual time; a hostile schedule takes some.
        expect(fabric.nowMs - started).toBeLessThan(1000)
        // The connection is kept for the peer, which loses nothing of what it says.
        expect(client.counts.queuePairs).toBe(1)
        expect(far.sendCopy(new Uint8Array(500))).toBe(500)
        far.finish()
        const rest = await receiveToEnd(far)
        expect(rest).toBe(before === 'finished' ? 0 : 1000)
        await closed(far)
        expect(far.error).toBeUndefined()
        if (before === 'finished') far.repostRecv(out[0]!.chunkIndex)
        await nothingOpen(client)
        await nothingOpen(server)
      })
    },
  )

  it('whose peer does not finish in time leaves: an end for who then finishes, an error for who then sends', async () => {
    for (const then of ['finish', 'disconnect', 'send'] as const) {
      await forEachSeed({ mode, count: 8 }, async (fabric) => {
        const { client, server, near, far } = await connect(fabric)
        expect(near.sendCopy(new Uint8Array(1000))).toBe(1000)
        near.disconnect({ timeoutMs: 700 })
        await closed(near)
        expect(near.error).toBeUndefined()
        await pause(server, 2000)
        expect(near.error).toBeUndefined()
        await nothingOpen(client)
        expect(far.error).toBeUndefined()
        expect(far.state).toBe('open')
        expect(await receiveToEnd(far)).toBe(1000)
        if (then === 'send') expect(far.sendCopy(new Uint8Array(1))).toBe(0)
        else far[then]()
        expect(far.state).toBe('closed')
        await closed(far)
        expect(far.error?.code).toBe(then === 'send' ? 'ERR_NETTS_RESET' : undefined)
        await nothingOpen(server)
      })
    }
  })

  it('whose peer finishes just when the wait for it is over is clean at both ends', async () => {
    let attempt = 0
    await forEachSeed({ mode, count: 100 }, async (fabric) => {
      const { client, server, near, far } = await connect(fabric)
      near.disconnect({ timeoutMs: 500 })
      await closed(near)
      // The end that nobody waits for any more, and the last frame of the other side, cross on the wire.
      await pause(server, 499.99 + (attempt++ % 10) * 0.002)
      far.disconnect()
      await closed(far)
      expect([near.error, far.error]).toEqual([undefined, undefined])
      await nothingOpen(client)
      await nothingOpen(server)
    })
  })

  it('is an error at the peer that was sending when this end left', async () => {
    await forEachSeed({ mode, count: 8 }, async (fabric) => {
      const { near, far, server } = await connect(fabric)
      near.disconnect({ timeoutMs: 500 })
      await closed(near)
      const send = () => {
        if (far.pollDisconnect()) return
        far.sendCopy(new Uint8Array(100))
        server.clock.setTimer(send, 1)
      }
      send()
      await closed(far)
      expect(near.error).toBeUndefined()
      expect(far.error?.code).toBe('ERR_NETTS_RESET')
    })
  })

  it('whose rest is given up by destroy wakes a peer that waits to send', async () => {
    await forEachSeed({ mode, count: 200 }, async (fabric) => {
      const { near, far } = await connect(fabric, { recvDepth: 1, bufferSize: 1032, polling: 'event' })
      near.disconnect()
      await closed(near)
      near.destroy()
      expect(near.error).toBeUndefined()
      await until(far, () => {
        while (!far.pollDisconnect() && far.sendCopy(new Uint8Array(1000)) > 0);
        return far.pollDisconnect()
      })
      expect(far.error?.code).toBe('ERR_NETTS_RESET')
    })
  })

  it('gives up when the peer takes nothing for timeoutMs', async () => {
    await forEachSeed({ mode, count: 8 }, async (fabric) => {
      const { client, server, near, far } = await connect(fabric, { keepAliveIntervalMs: 0 })
      fabric.partition(client, server)
      expect(near.sendCopy(new Uint8Array(1000))).toBe(1000)
      const started = fabric.nowMs
      near.disconnect({ timeoutMs: 400 })
      near.disconnect({ timeoutMs: 0 })
      await closed(near)
      expect(near.error).toMatchObject({
        code: 'ERR_NETTS_TIMEOUT',
        name: 'TimeoutError',
        operation: 'disconnect',
      })
      expect(near.queuedBytes).toBe(0)
      expect(fabric.nowMs - started).toBeLessThan(1500)
      fabric.heal()
      far.destroy()
      await nothingOpen(client)
      await nothingOpen(server)
    })
  })

  it('counts what the peer has not acknowledged', async () => {
    await forEachSeed({ mode, count: 8 }, async (fabric) => {
      const { near, far } = await connect(fabric)
      near.sendCopy(new Uint8Array(300))
      near.sendGather([new Uint8Array(20), new Uint8Array(0), new Uint8Array(7)])
      const buffer = near.bufferPool.alloc(100)
      expect(near.sendBuffer(buffer, 10, 50)).toBe(true)
      expect(near.queuedBytes).toBe(377)
      await until(near, () => {
        while (near.pollSendCompletion() > 0);
        return near.sendsInFlight === 0
      })
      expect(near.queuedBytes).toBe(0)
      near.sendCopy(new Uint8Array(5))
      near.destroy()
      expect(near.queuedBytes).toBe(0)
      far.destroy()
    })
  })
})

describe('send memory', () => {
  it('has a reserve for each transport that others can not take', async () => {
    await forEachSeed({ mode: 'roce', count: 1 }, async (fabric) => {
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      const builder = sendRecvOver({ verbs: client })
      const listener = await sendRecvOver({ verbs: server }).listen({ host: server.address, port: 0 })
      const [greedy, modest] = [
        await builder.connect(listener.address),
        await builder.connect(listener.address),
      ]
      const size = greedy.maxSendSize
      const taken = []
      for (let buffer = greedy.bufferPool.tryAlloc(size); buffer; buffer = greedy.bufferPool.tryAlloc(size)) {
        taken.push(buffer)
      }
      const own = Array.from({ length: 4 }, () => modest.bufferPool.alloc(size))
      expect(modest.bufferPool.tryAlloc(size)).toBeUndefined()
      for (const buffer of own) expect(modest.sendBuffer(buffer)).toBe(true)
      for (const buffer of taken) buffer.release()
      for (const transport of [greedy, modest]) transport.destroy()
      await listener.close()
    })
  })
})

describe('what is thrown', () => {
  /** Makes a method of this host's next queue pair throw from `arm` on. */
  function throwing(host: SimulatedHost, method: 'postSend' | 'postReceive', thrown: Error): { arm(): void } {
    let isArmed = false
    const createCmId = host.createCmId.bind(host)
    host.createCmId = () => {
      const id = createCmId()
      const createQueuePair = id.createQueuePair.bind(id)
      id.createQueuePair = (options) => {
        const queuePair = createQueuePair(options)
        const inner = queuePair[method].bind(queuePair)
        queuePair[method] = (count: number, first?: number) => {
          if (isArmed) throw thrown
          return inner(count, first)
        }
        return queuePair
      }
      host.createCmId = createCmId
      return id
    }
    return {
      arm: () => {
        isArmed = true
      },
    }
  }

  it.each(['postSend', 'postReceive'] as const)(
    'by the driver in a callback of the event loop ends that connection alone (%s)',
    async (method) => {
      await forEachSeed({ mode: 'roce', count: 10 }, async (fabric) => {
        const [client, server] = [fabric.createHost(), fabric.createHost()]
        const listener = await sendRecvOver({ verbs: server }).listen({ host: server.address, port: 0 })
        const builder = sendRecvOver({ verbs: client })
        const thrown = new TypeError('made up')
        const faulty = throwing(client, method, thrown)
        const near = await builder.connect(listener.address)
        const far = (await listener.accept())!
        const bystander = await builder.connect(listener.address)
        const other = (await listener.accept())!
        const warned = vi.spyOn(process, 'emitWarning')
        faulty.arm()
        if (method === 'postSend') near.sendCopy(new Uint8Array(10))
        // Enough to have receives posted again.
        for (let i = 0; i < 4; i++) far.sendCopy(new Uint8Array(10))
        await until(near, () => {
          while (near.pollRecv(out) > 0) near.repostRecv(out[0]!.chunkIndex)
          return near.pollDisconnect()
        })
        expect(near.error).toMatchObject({ code: 'ERR_NETTS_INTERNAL', cause: thrown })
        await closed(far)
        bystander.sendCopy(new Uint8Array(77))
        bystander.disconnect()
        expect(await receiveToEnd(other)).toBe(77)
        other.disconnect()
        await Promise.all([closed(bystander), closed(other)])
        expect([bystander.error, other.error]).toEqual([undefined, undefined])
        // It is not tried again, which would throw again.
        expect(warned).not.toHaveBeenCalled()
        warned.mockRestore()
        await listener.close()
      })
    },
  )

  it('by a waker in a batch of completions ends that connection alone, and the batch goes on', async () => {
    await forEachSeed({ mode: 'roce', count: 10 }, async (fabric) => {
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      const listener = await sendRecvOver({ verbs: server }).listen({ host: server.address, port: 0 })
      const builder = sendRecvOver({ verbs: client })
      const [near, other] = [await builder.connect(listener.address), await builder.connect(listener.address)]
      const [far, otherFar] = [(await listener.accept())!, (await listener.accept())!]
      const thrown = new Error('made up')
      far.waker = () => {
        far.waker = undefined
        throw thrown
      }
      near.sendCopy(new Uint8Array(10))
      other.sendCopy(new Uint8Array(20))
      other.finish()
      await closed(near)
      expect(near.error?.code).toBe('ERR_NETTS_RESET')
      expect(far.error).toMatchObject({ code: 'ERR_NETTS_INTERNAL', cause: thrown })
      expect(await receiveToEnd(otherFar)).toBe(20)
      for (const transport of [other, otherFar]) transport.destroy()
      await listener.close()
    })
  })
})

describe('a program', () => {
  const here = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)))

  function run(body: string) {
    const program = `
      import { sendRecvOver } from ${here('../src/index.ts')}
      import { createSimulatedFabric } from '@netts/verbs/simulated'
      const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
      const [client, server] = [fabric.createHost(), fabric.createHost()]
      const listener = await sendRecvOver({ verbs: server }).listen({ host: server.address, port: 0 })
      const near = await sendRecvOver({ verbs: client }).connect(listener.address)
      const far = await listener.accept()
      await listener.close()
      far.unref()
      process.on('exit', () => console.log(client.counts.queuePairs))
      ${body}`
    const node = ['--conditions=@netts/source', '--import', 'tsx', '--input-type=module', '-e', program]
    const cwd = fileURLToPath(new URL('..', import.meta.url))
    return spawnSync(process.execPath, node, { encoding: 'utf8', timeout: 20_000, cwd })
  }

  it('stays alive behind a disconnect until the peer has finished or the deadline has passed, unless told otherwise', () => {
    const waiting = run('near.disconnect({ timeoutMs: 300 })')
    expect(waiting, waiting.stderr).toMatchObject({ status: 0, stdout: '0\n' })
    const unreferenced = run('near.unref(); near.disconnect({ timeoutMs: 15_000 })')
    expect(unreferenced, unreferenced.stderr).toMatchObject({ status: 0, stdout: '1\n' })
  })
})
